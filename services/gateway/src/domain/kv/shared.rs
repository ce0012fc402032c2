//! What others share with the caller.
//!
//! Anybody may share anything with anybody, and with whole roles, so the lists may be long and most of them of no interest.
//! They are read in pages, to their end: what somebody shares never hides what somebody else does. What is shared with
//! the caller's own address comes first, and what one owner shares can be asked for alone.

use coffer_core::UserId;
use coffer_core::limits::PAGE_ITEMS_MAX;

use super::key::KEY_BYTES_MAX;
use super::sharing::{Scope, SharedKeys};
use super::{Caller, Kv, KvError};
use crate::repo::kv::Subject;
use crate::repo::kv::grant::SharedRecord;

/// Entries that one page looks at, at most. It may then end early, even empty, with a cursor.
const WALKED_MAX: usize = 2_000;
/// Grants of one owner that are read at once.
const READ_AT_ONCE: usize = 200;
/// Bytes of an owner's id in a cursor.
const OWNER_CHARS: usize = 32;

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct SharedRequest {
    /// Only what this owner shares.
    pub owner: Option<UserId>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Grants in the page, at most; 1 to 1,000.
    pub limit: usize,
}

/// One page of what others share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedPage {
    /// What is shared.
    pub items: Vec<SharedKeys>,
    /// Where to go on, unless this is the last page.
    pub next_cursor: Option<String>,
}

/// A place in the lists: in the first or the second, behind an entry or at the start.
struct Place {
    list: usize,
    behind: Option<SharedRecord>,
}

impl Place {
    /// The text of [`cursor`](Self::cursor).
    fn parse(cursor: &str) -> Result<Self, KvError> {
        let wrong = || KvError::Cursor;
        let (list, rest) = cursor.split_at_checked(1).ok_or_else(wrong)?;
        let list = match list {
            "u" => 0,
            "r" => 1,
            _ => return Err(KvError::Cursor),
        };
        if rest.is_empty() {
            return Ok(Self { list, behind: None });
        }
        let (owner, rest) = rest.split_at_checked(OWNER_CHARS).ok_or_else(wrong)?;
        let mut id = [0; 16];
        hex::decode_to_slice(owner, &mut id).map_err(|_| wrong())?;
        let (kind, name) = rest.split_at_checked(1).ok_or_else(wrong)?;
        if !matches!(kind, "k" | "p") || name.len() > KEY_BYTES_MAX {
            return Err(KvError::Cursor);
        }
        let behind =
            SharedRecord { owner: UserId::from_bytes(id), name: name.to_owned(), is_prefix: kind == "p" };
        Ok(Self { list, behind: Some(behind) })
    }

    fn cursor(&self) -> String {
        let list = ["u", "r"][self.list.min(1)];
        self.behind.as_ref().map_or_else(
            || list.to_owned(),
            |SharedRecord { owner, name, is_prefix }| {
                let kind = if *is_prefix { "p" } else { "k" };
                format!("{list}{}{kind}{name}", hex::encode(owner.as_bytes()))
            },
        )
    }
}

impl Kv {
    /// One page of what others share with the caller, by address and then by role.
    pub async fn shared_with_me(
        &self,
        caller: &Caller,
        request: &SharedRequest,
    ) -> Result<SharedPage, KvError> {
        let subjects = [Subject::User(caller.principal.address_hash), Subject::Role(caller.role())];
        let start = Place { list: 0, behind: None };
        let mut place = request.cursor.as_deref().map_or(Ok(start), Place::parse)?;
        let (limit, mut items, mut walked) = (request.limit.clamp(1, PAGE_ITEMS_MAX), Vec::new(), 0);
        while let Some(subject) = subjects.get(place.list) {
            if items.len() >= limit || walked >= WALKED_MAX {
                return Ok(SharedPage { items, next_cursor: Some(place.cursor()) });
            }
            let wanted = (limit - items.len()).min(WALKED_MAX - walked);
            let within = (request.owner, place.behind.as_ref());
            let page = self.0.shared.list(subject, within, wanted).await?;
            walked += page.items.len().max(1);
            place.behind = page.items.last().cloned().or(place.behind);
            self.add_live(caller, (subject, page.items), &mut items).await?;
            if !page.more {
                place = Place { list: place.list + 1, behind: None };
            }
        }
        Ok(SharedPage { items, next_cursor: None })
    }

    /// Adds what of these entries there is a live grant to. The grant alone counts; to oneself one shares nothing.
    async fn add_live(
        &self,
        caller: &Caller,
        (subject, entries): (&Subject, Vec<SharedRecord>),
        items: &mut Vec<SharedKeys>,
    ) -> Result<(), KvError> {
        for of_owner in entries.chunk_by(|one, other| one.owner == other.owner) {
            let Some(owner) = of_owner.first().map(|entry| entry.owner).filter(|owner| *owner != caller.id())
            else {
                continue;
            };
            for entries in of_owner.chunks(READ_AT_ONCE) {
                let grants = self.0.repo.grants_at(owner, subject, entries).await?;
                let found = entries.iter().zip(grants);
                items.extend(found.filter_map(|(entry, grant)| {
                    let grant = grant?;
                    Some(SharedKeys {
                        owner,
                        scope: Scope::of(entry.name.clone(), entry.is_prefix),
                        permission: grant.permission,
                        granted_at: grant.granted_at,
                        expires_at: grant.expires_at,
                    })
                }));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_cursor_and_other_texts_are_none() {
        for text in ["u", "r", &format!("u{}kname", "0f".repeat(16)), &format!("r{}p", "00".repeat(16))] {
            assert_eq!(Place::parse(text).unwrap().cursor(), text);
        }
        let long = format!("u{}k{}", "00".repeat(16), "a".repeat(KEY_BYTES_MAX + 1));
        let odd = format!("u{}xname", "00".repeat(16));
        for wrong in ["", "x", "u1", &"u".repeat(33), &format!("u{}", "00".repeat(16)), &odd, &long, "é"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}

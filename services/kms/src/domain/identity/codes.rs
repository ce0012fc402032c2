//! One-time codes: giving them out, and trying them.
//!
//! A try is committed to the store before anything is compared, so tries at the same time, on several
//! processes, all count. Each code counts its tries in three buckets: whoever asked for it, whoever the account
//! knows, and everybody else together. Five wrong tries end the code for their bucket: a stranger cannot use up
//! the owner's tries, and all together have at most fifteen at one of 900,000.

use coffer_api::AddressHash;
use coffer_auth::code::{Binding, OneTimeCode, Purpose};
use coffer_core::{CodeId, EmailAddress, Timestamp};

use super::account::Account;
use super::error::IdentityError;
use super::known::Standing;
use super::parts::Identity;
use crate::domain::mail::CodeMail;
use crate::repo::address::{AddressChange, AddressState, Code, Requester, Versioned};
use crate::repo::user::Known;

/// Codes for one purpose and account at a time.
pub(super) const OUTSTANDING_MAX: usize = 3;
/// How often something is tried again because somebody else changed the same address meanwhile.
pub(super) const CONFLICTS_MAX: usize = 16;

/// A code to be given out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issue<'a> {
    pub(super) purpose: Purpose,
    pub(super) account: &'a AddressHash,
    pub(super) state: &'a AddressState,
    pub(super) to: &'a EmailAddress,
    pub(super) requester: Requester,
}

/// What came of giving out a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issued {
    /// It is on its way, and good until then.
    Sent(Timestamp),
    /// There are as many as there may be, and the one who asks may push out none of them.
    NoRoom,
    /// The address has changed since it was read.
    Conflict,
}

/// What came of trying a code.
#[derive(Debug)]
pub(super) enum Tried {
    /// It is this one.
    Right(Box<Versioned<Code>>),
    /// It is none, or none that this client may still try.
    Wrong,
}

/// Whether there is room for one more code.
#[derive(Clone, Copy, Debug)]
enum Room<'a> {
    /// There is.
    Free,
    /// If this one is pushed out.
    Instead(&'a Versioned<Code>),
    /// There is none to be had.
    None,
}

/// Which code a new one pushes out, so that there is room for it.
///
/// One's own earlier code goes first, then the oldest that a stranger asked for. What a trusted client asked
/// for yields only to a trusted one.
fn make_room<'a>(codes: &[&'a Versioned<Code>], requester: &Requester) -> Room<'a> {
    if codes.len() < OUTSTANDING_MAX {
        return Room::Free;
    }
    let mine = |code: &&&Versioned<Code>| {
        let asked = &code.value.requester;
        asked.address == requester.address && asked.trusted == requester.trusted
    };
    let strangers = |code: &&&Versioned<Code>| !code.value.requester.trusted;
    let first = codes.iter().find(mine).or_else(|| codes.iter().find(strangers));
    let first = first.or_else(|| codes.first().filter(|_| requester.trusted));
    first.map_or(Room::None, |code| Room::Instead(code))
}

impl Identity {
    /// Gives out a code together with `change`. The mail is in the queue first, but leaves only once the code is in
    /// the store: so a crash in between leaves neither a code that nobody gets nor a mail that opens nothing.
    pub(super) async fn issue(
        &self,
        issue: Issue<'_>,
        change: AddressChange,
    ) -> Result<Issued, IdentityError> {
        let Issue { purpose, account, state, to, requester } = issue;
        let outstanding: Vec<_> = state.codes_for(purpose).collect();
        let pushed_out = match make_room(&outstanding, &requester) {
            Room::Free => None,
            Room::Instead(code) => Some(code),
            Room::None => return Ok(Issued::NoRoom),
        };
        let now = self.now();
        let expires_at = now.plus(self.auth.otp_ttl());
        let id = CodeId::make(now, &*self.random);
        let digits = OneTimeCode::make(&*self.random);
        let binding = Binding { purpose, account: account.as_bytes(), id };
        let stored = digits.derive_stored(&self.index, binding);
        let mail = CodeMail { to: to.clone(), account: *account, purpose, id, digits, expires_at };
        let queued = self.outbox.hold(mail).await?;
        let code = Code { id, purpose, stored, requester, expires_at, tries: [0; 3] };
        let change = change.put_code(&code).delete_codes(pushed_out);
        if !self.addresses.commit(account, change).await? {
            self.outbox.withdraw(queued).await?;
            return Ok(Issued::Conflict);
        }
        self.outbox.wake();
        Ok(Issued::Sent(expires_at))
    }

    /// Tries `text` against the outstanding codes for `purpose`. `account.state` is as it was when the try
    /// was decided, afterwards.
    pub(super) async fn try_code(
        &self,
        account: &mut Account,
        purpose: Purpose,
        text: &str,
    ) -> Result<Tried, IdentityError> {
        let digits = OneTimeCode::parse(text);
        for _ in 0..CONFLICTS_MAX {
            let standing = account.standing;
            let open = |code: &&Versioned<Code>| code.value.is_open_to(standing.bucket(&code.value));
            let codes: Vec<_> = account.state.codes_for(purpose).filter(open).cloned().collect();
            let vain = self.now().plus(self.auth.otp_ttl());
            let change = match codes.as_slice() {
                [] => AddressChange::new().count_vain_try(purpose, vain),
                codes => codes.iter().fold(AddressChange::new(), |change, code| {
                    change.code_unused(code).count_try(&code.value, standing.bucket(&code.value))
                }),
            };
            if !self.addresses.commit(&account.hash, change).await? {
                account.state = self.addresses.load(&account.hash).await?;
                continue;
            }
            account.state.count_tries(purpose, |code| standing.bucket(code));
            return Ok(self.compare(account, (purpose, digits.as_ref()), codes));
        }
        Err(IdentityError::Conflict)
    }

    fn compare(
        &self,
        account: &Account,
        (purpose, digits): (Purpose, Option<&OneTimeCode>),
        codes: Vec<Versioned<Code>>,
    ) -> Tried {
        let mut right = None;
        for code in codes {
            let binding = Binding { purpose, account: account.hash.as_bytes(), id: code.value.id };
            let matches = digits.is_some_and(|it| it.matches(&self.index, binding, &code.value.stored));
            if matches {
                right = Some(code);
            }
        }
        right.map_or(Tried::Wrong, |code| Tried::Right(Box::new(code)))
    }

    /// Uses `code` up; `false` if somebody else was faster. Others stay: two devices may log in at once.
    pub(super) async fn use_up(
        &self,
        account: &Account,
        code: &Versioned<Code>,
    ) -> Result<bool, IdentityError> {
        let change = AddressChange::new().code_unused(code).delete_codes([code]);
        Ok(self.addresses.commit(&account.hash, change).await?)
    }
}

impl Standing {
    /// This client as one who asks for a code; `trusted` says why its code must not be pushed out.
    pub(super) fn requester(&self, trusted: bool) -> Requester {
        let Known { address, device } = self.place;
        Requester { address, device, trusted: trusted || self.is_recognised() }
    }
}

#[cfg(test)]
mod tests {
    use coffer_core::SeededRandom;
    use coffer_store::records::Version;

    use super::*;

    fn code(number: u8, address: u8, trusted: bool) -> Versioned<Code> {
        let requester = Requester { address: [address; 32], device: None, trusted };
        let moment = Timestamp::from_ms(number.into());
        let id = CodeId::make(moment, &SeededRandom::new(number.into()));
        let value = Code {
            id,
            purpose: Purpose::Reset,
            stored: [0; 32],
            requester,
            expires_at: moment,
            tries: [0; 3],
        };
        Versioned { value, version: Version(number.into()) }
    }

    /// What becomes of the codes (address, trusted) when `by` asks for one.
    fn room(codes: &[(u8, bool)], by: (u8, bool)) -> String {
        let codes: Vec<_> = (0..).zip(codes).map(|(n, of)| code(n, of.0, of.1)).collect();
        let codes: Vec<_> = codes.iter().collect();
        let requester = Requester { address: [by.0; 32], device: None, trusted: by.1 };
        match make_room(&codes, &requester) {
            Room::Free => "room".to_owned(),
            Room::Instead(code) => format!("instead of {}", code.version.0),
            Room::None => "no room".to_owned(),
        }
    }

    #[test]
    fn a_stranger_s_code_pushes_out_no_code_of_the_owner() {
        let (owner, stranger) = ((1, true), (2, false));
        assert_eq!(room(&[owner, stranger], stranger), "room");
        assert_eq!(room(&[owner, stranger, stranger], stranger), "instead of 1");
        assert_eq!(room(&[owner, owner, owner], stranger), "no room");
    }

    #[test]
    fn the_owner_pushes_out_strangers_or_his_own_oldest() {
        let (owner, stranger) = ((1, true), (2, false));
        assert_eq!(room(&[stranger, stranger, stranger], owner), "instead of 0");
        assert_eq!(room(&[stranger, owner, owner], owner), "instead of 1");
        assert_eq!(room(&[(3, true), (3, true), (3, true)], owner), "instead of 0");
    }
}

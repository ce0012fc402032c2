//! Whole folders: stored and fetched file by file, in batches and in parallel.
//!
//! A tree `DIR` that is stored as `NAME` is one envelope for each entry: a file `DIR/a/b` is `NAME/a/b`, the folder
//! `DIR/a` is `NAME/a` (empty, of the kind directory), `DIR` itself is `NAME`, and the content of a symbolic link is
//! where it points. All are sealed for one file key, that of the folder `NAME`.
//!
//! What has been stored or fetched is [remembered](memory) on this machine: as which version, and what the system told
//! of the entry then (its [`Stamp`]). An entry is passed over when its stamp is still that, and both the data service has
//! that version and the KMS says that it is the latest. So the data service alone can neither make us keep an old file nor
//! believe that a new one is stored. The road not taken: comparing with size and time in the sealed details. They are as
//! good as the content, but reading them costs two requests and an unwrapping for each file, which is what fetching a
//! small one costs.

mod fetch;
mod memory;
mod open;
mod place;
mod plan;
mod send;
mod stamp;
mod tally;
mod walk;

use coffer_api::ErrorCode;
use coffer_api::file_versions::{ShowVersion, ShowVersions, VERSIONS_MAX};
use coffer_client::{ClientError, KmsClient};
use coffer_core::FileName;

pub(crate) use fetch::fetch;
pub(crate) use memory::MemoryError;
pub(crate) use plan::{Place, Rules, canonical, made};
pub(crate) use send::send;
use stamp::Stamp;
pub(crate) use tally::finish;

/// A folder at the root of a tree, for files that are still being written. It is no part of any tree.
const PARTS: &str = ".coffer-part";
/// Files up to this size are read and sealed, or fetched and opened, whole.
const SMALL_BYTES_MAX: u64 = 256 * 1024;
/// Batches under way at the same time: while one is uploaded, another is registered or published.
const BATCHES: usize = 3;

/// What comes behind the tree's own name; nothing for its root.
fn below<'a>(tree: &FileName, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix(tree.as_str())?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/').filter(|rest| !rest.is_empty()) }
}

/// Whether there is no point in going on with the other files.
fn is_final(err: &ClientError) -> bool {
    let refused = err.code().is_some_and(|code| {
        matches!(
            code,
            ErrorCode::InvalidSession
                | ErrorCode::NotAuthenticated
                | ErrorCode::SecondFactorRequired
                | ErrorCode::StorageFull
                | ErrorCode::LimitReached
                | ErrorCode::RateLimited
        )
    });
    refused || err.is_unavailable()
}

/// The latest published version of each file, as the KMS knows it.
async fn published(
    kms: &KmsClient,
    owner: Option<&str>,
    names: &[&str],
) -> Result<Vec<Option<u64>>, ClientError> {
    let mut all = Vec::with_capacity(names.len());
    for names in names.chunks(VERSIONS_MAX) {
        let items: Vec<_> = names.iter().map(|name| ShowVersion { name: (*name).into() }).collect();
        let answer = kms.present_versions(&ShowVersions { owner: owner.map(Into::into), items }).await?;
        // An answer of another length names nothing.
        let mut items = answer.items.into_iter();
        all.extend(names.iter().map(|_| items.next().and_then(|item| item.version)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_tree_is_behind_its_name_and_a_slash() {
        let tree: FileName = "photos/trip".parse().unwrap();
        assert_eq!(below(&tree, "photos/trip"), Some(""));
        assert_eq!(below(&tree, "photos/trip/a/b"), Some("a/b"));
        for other in ["photos/trip2", "photos", "photos/trip/"] {
            assert_eq!(below(&tree, other), None, "{other}");
        }
    }
}

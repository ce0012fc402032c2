//! Content with several names: it stays as long as any of them, and goes with the last.

use coffer_core::Random as _;
use coffer_core::limits::INLINE_BYTES_MAX;
use coffer_crypto::envelope::{PREFIX_BYTES, StanzaSection};
use coffer_store::records::COLLECT_SLACK;

use super::super::copying::{CopyOrder, MoveOrder};
use super::*;

const DAY: Duration = Duration::from_hours(24);
const LARGE: usize = INLINE_BYTES_MAX + 1;

impl Desk {
    async fn copy(
        &self,
        (from, from_version): (&str, u64),
        to: &str,
        version: u64,
    ) -> Result<Stored, LibraryError> {
        let (from, to, stanzas) = (name(from), name(to), stanzas());
        let wanted = Wanted { name: &to, owner: None };
        let order = CopyOrder {
            from: Wanted { name: &from, owner: None },
            from_version,
            to: PutOrder { wanted, version, condition: Condition::default() },
            stanzas: &stanzas,
        };
        self.library.copy((&self.ann, Reader::User(user(1))), &order).await
    }

    async fn rename(
        &self,
        (from, from_version): (&str, u64),
        to: &str,
        version: u64,
    ) -> Result<Stored, LibraryError> {
        let (from, to, stanzas) = (name(from), name(to), stanzas());
        let wanted = Wanted { name: &to, owner: None };
        let order = MoveOrder {
            from: &from,
            from_version,
            to: PutOrder { wanted, version, condition: Condition::default() },
            stanzas: &stanzas,
        };
        self.library.rename(&self.ann, &order).await
    }
}

fn stanzas() -> StanzaSection {
    StanzaSection::parse(&HEAD[PREFIX_BYTES..]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_copy_keeps_the_content_that_its_original_lets_go_of() {
    let keeping = Keeping { versions_max: 0, trash: Duration::ZERO, ..Keeping::default() };
    let desk = desk_keeping(keeping).await;
    desk.put("a", 1, &envelope(1, LARGE)).await.unwrap();
    desk.copy(("a", 1), "b", 1).await.unwrap();
    desk.rename(("b", 1), "c", 1).await.unwrap();
    assert_eq!(desk.blobs.ids().len(), 1, "nothing was copied");
    desk.delete("a").await.unwrap();
    desk.later(2 * COLLECT_SLACK);
    assert_eq!((desk.collect().await, desk.blobs.ids().len()), (0, 1));
    assert!(desk.read("c", None).await.unwrap() == envelope(1, LARGE));
    desk.put("c", 2, &envelope(2, 10)).await.unwrap();
    desk.later(2 * COLLECT_SLACK);
    assert_eq!((desk.collect().await, desk.blobs.ids().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_move_is_of_the_version_that_was_seen_and_leaves_its_history_in_the_trash() {
    let desk = desk().await;
    desk.put("a", 1, &envelope(1, LARGE)).await.unwrap();
    desk.put("a", 2, &envelope(2, LARGE)).await.unwrap();
    desk.put("b", 1, &envelope(3, 10)).await.unwrap();
    assert!(matches!(desk.rename(("a", 1), "b", 2).await, Err(LibraryError::Conflict)));
    assert!(matches!(desk.rename(("a", 2), "b", 1).await, Err(LibraryError::Conflict)));
    assert!(matches!(desk.rename(("none", 1), "b", 2).await, Err(LibraryError::NotFound)));
    assert!(matches!(desk.copy(("a", 9), "b", 2).await, Err(LibraryError::VersionNotFound)));
    desk.rename(("a", 2), "b", 2).await.unwrap();
    assert!(matches!(desk.find("a", None).await, Err(LibraryError::NotFound)));
    assert_eq!((desk.versions("a").await, desk.versions("b").await), (vec![2, 1], vec![2, 1]));
    assert!(desk.read("b", None).await.unwrap() == envelope(2, LARGE));
    desk.restore("a").await.unwrap();
    assert!(desk.read("a", None).await.unwrap() == envelope(2, LARGE));
    assert_eq!(desk.blobs.ids().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_done_in_whatever_order_no_name_loses_its_content_and_no_content_is_left_without_one() {
    for seed in 0..6 {
        let keeping = Keeping { versions_max: 2, versions: 2 * DAY, trash: DAY, ..Keeping::default() };
        let (desk, random) = (desk_keeping(keeping).await, SeededRandom::new(seed));
        let pick = |of: u8| {
            let mut byte = [0];
            random.fill(&mut byte);
            byte[0] % of
        };
        let names = ["a", "b", "c"];
        let mut present: [Option<(u64, u8)>; 3] = [None; 3];
        let mut version = 0;
        for _ in 0..120 {
            version += 1;
            let (at, to) = (usize::from(pick(3)), usize::from(pick(3)));
            match (pick(8), present[at]) {
                (0 | 1, _) => {
                    let first = pick(250);
                    desk.put(names[at], version, &envelope(first, LARGE)).await.unwrap();
                    present[at] = Some((version, first));
                }
                (2 | 3, Some((from, first))) => {
                    desk.copy((names[at], from), names[to], version).await.unwrap();
                    present[to] = Some((version, first));
                }
                (4, Some((from, first))) if at != to => {
                    desk.rename((names[at], from), names[to], version).await.unwrap();
                    (present[at], present[to]) = (None, Some((version, first)));
                }
                (5, Some(_)) => {
                    desk.delete(names[at]).await.unwrap();
                    present[at] = None;
                }
                (6, None) => {
                    if let Ok(file) = desk.restore(names[at]).await {
                        let read = desk.range(&file, 0..file.size_bytes).await.unwrap();
                        present[at] = Some((file.tag.version, read[HEAD.len()]));
                    }
                }
                _ => {
                    desk.later(DAY / 4);
                    desk.collect().await;
                }
            }
            for (name, present) in names.iter().zip(present) {
                if let Some((_, first)) = present {
                    assert!(
                        desk.read(name, None).await.unwrap() == envelope(first, LARGE),
                        "seed {seed}: {name}"
                    );
                }
                for version in desk.versions(name).await {
                    desk.read(name, Some(version)).await.unwrap();
                }
            }
        }
        for (name, _) in names.iter().zip(present).filter(|(_, present)| present.is_some()) {
            desk.delete(name).await.unwrap();
        }
        desk.later(10 * DAY);
        desk.collect().await;
        assert!(desk.blobs.ids().is_empty(), "seed {seed}");
    }
}

//! Any commit may fail, or happen without anybody being told: no blob is lost that a version names, and none is left that
//! nothing names.

use coffer_core::limits::INLINE_BYTES_MAX;
use coffer_store::testing::Fault;

use super::*;

const DAY: Duration = Duration::from_hours(24);
const LARGE: usize = INLINE_BYTES_MAX + 1;
const FAULTS: [Fault; 3] = [Fault::Unavailable, Fault::UnknownDone, Fault::UnknownNotDone];
/// More commits than any of what is tried here makes.
const COMMITS: usize = 6;

/// What is done, with the commits before it all well.
#[derive(Clone, Copy, Debug)]
enum Work {
    Create,
    Replace,
    Delete,
    Restore,
    Collect,
}

impl Work {
    async fn prepare(self, desk: &Desk) {
        if matches!(self, Self::Create) {
            return;
        }
        for version in 1..=3 {
            desk.put("f", version, &envelope(u8::try_from(version).unwrap(), LARGE)).await.unwrap();
        }
        if matches!(self, Self::Restore) {
            desk.delete("f").await.unwrap();
        }
        if matches!(self, Self::Collect) {
            // One that was trimmed and one whose upload was broken off.
            desk.put("f", 4, &envelope(4, LARGE)).await.unwrap();
            *desk.blobs.fails_from_part.lock().unwrap() = Some(1);
            desk.records.let_pass(1);
            desk.put("g", 1, &envelope(4, 40 * LARGE)).await.unwrap_err();
            *desk.blobs.fails_from_part.lock().unwrap() = None;
            desk.later(2 * Duration::from_hours(1));
        }
    }

    /// Whether it was done, as far as whoever asked for it was told.
    async fn run(self, desk: &Desk) -> bool {
        match self {
            Self::Create => desk.put("f", 1, &envelope(1, LARGE)).await.is_ok(),
            Self::Replace => desk.put("f", 4, &envelope(4, LARGE)).await.is_ok(),
            Self::Delete => desk.delete("f").await.is_ok(),
            Self::Restore => desk.restore("f").await.is_ok(),
            Self::Collect => desk.library.files().unwrap().collect().await.is_ok(),
        }
    }
}

/// Every version that there is can be read and is what was stored; and once the collector has looked, there is no blob
/// but theirs.
async fn check(desk: &Desk, what: &str) {
    for version in desk.versions("f").await {
        let read = desk.read("f", Some(version)).await;
        assert!(read.unwrap() == envelope(u8::try_from(version).unwrap(), LARGE), "{what}: {version}");
    }
    desk.later(Duration::from_hours(2));
    desk.collect().await;
    assert_eq!(desk.named(&["f", "g"]).await, desk.blobs.ids(), "{what}");
    for version in desk.versions("f").await {
        desk.read("f", Some(version)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn whichever_commit_fails_every_version_is_whole_and_nothing_is_left_over() {
    let keeping = Keeping { versions_max: 2, versions: 30 * DAY, trash: 30 * DAY, ..Keeping::default() };
    for work in [Work::Create, Work::Replace, Work::Delete, Work::Restore, Work::Collect] {
        let mut failed = 0;
        for fault in FAULTS {
            for passing in 0..COMMITS {
                let desk = desk_keeping(keeping).await;
                work.prepare(&desk).await;
                desk.records.let_pass(passing);
                desk.records.fail([fault]);
                let done = work.run(&desk).await;
                failed += usize::from(!done);
                // What the fault has not met is not to meet what follows.
                desk.records.fail_no_more();
                let what = format!("{work:?}, {fault:?} after {passing}, told {done}");
                let newest = desk.versions("f").await.first().copied();
                match work {
                    Work::Create if done => assert_eq!(newest, Some(1), "{what}"),
                    Work::Replace if done => assert_eq!(newest, Some(4), "{what}"),
                    Work::Create => {}
                    Work::Collect => assert_eq!(newest, Some(4), "{what}"),
                    _ => assert!(newest >= Some(3), "{what}"),
                }
                let is_there = desk.find("f", None).await.is_ok();
                assert!(!matches!(work, Work::Delete) || !done || !is_there, "{what}");
                assert!(!matches!(work, Work::Restore) || !done || is_there, "{what}");
                check(&desk, &what).await;
                // And when the time of everything but the present version is over.
                desk.later(40 * DAY);
                check(&desk, &what).await;
                let present = usize::from(desk.find("f", None).await.is_ok());
                assert_eq!(desk.blobs.ids().len(), present, "{what}");
            }
        }
        assert!(failed > 2, "{work:?} met the faults");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_collector_has_given_up_does_not_come_back_from_the_trash() {
    let desk = desk().await;
    desk.put("f", 1, &envelope(1, LARGE)).await.unwrap();
    desk.delete("f").await.unwrap();
    let blob = *desk.blobs.ids().first().unwrap();
    let repo = &desk.library.files().unwrap().repo;
    // By the clock of another process its time is over.
    repo.drop_blob(user(1), blob, desk.world.clock.now()).await.unwrap();
    assert!(matches!(desk.restore("f").await, Err(LibraryError::NotFound)));
    repo.keep_blob(user(1), blob).await.unwrap();
    desk.restore("f").await.unwrap();
}

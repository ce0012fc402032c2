//! Looking through a space.

use std::sync::Arc;

use coffer_core::ManualClock;
use coffer_kms_link::testing::{START, user};

use super::browsing::{Browse, Browsed};
use super::files::{Envelope, Files};
use super::testing::{FakeBlobs, files};

async fn shelf(names: &[String]) -> Files {
    let files = files(&Arc::new(ManualClock::at(START)), &Arc::new(FakeBlobs::default()));
    let envelope = Envelope { data: vec![1; 3], wrapped_key: vec![1], wrapped_vector: vec![2] };
    for name in names {
        files.put(user(1), &name.parse().unwrap(), &envelope).await.unwrap();
    }
    files
}

/// All pages: their files, their folders, and how many there were.
async fn all(files: &Files, browse: Browse<'_>) -> (Vec<String>, Vec<String>, usize) {
    let (mut names, mut folders, mut pages, mut after) = (Vec::new(), Vec::new(), 0, None::<String>);
    loop {
        let browse = Browse { after: after.as_deref(), ..browse };
        let page: Browsed = files.browse(user(1), &browse).await.unwrap();
        assert!(page.files.len() + page.folders.len() <= browse.limit);
        assert!(page.files.iter().all(|file| file.size_bytes == 3 && file.created_at == START));
        names.extend(page.files.into_iter().map(|file| file.file_name));
        folders.extend(page.folders);
        pages += 1;
        match page.next {
            Some(next) => after = Some(next),
            None => return (names, folders, pages),
        }
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn files_are_listed_in_pages_in_the_order_of_their_names() {
    let mut names: Vec<String> = (0..40).map(|i| format!("f{i:02}")).collect();
    names.extend(texts(&["報告 2026.bin", "a/b.txt"]));
    let shelf = shelf(&names).await;
    names.sort();
    for limit in [1, 17, 42, 1000] {
        let (listed, folders, pages) = all(&shelf, Browse { limit, ..Browse::default() }).await;
        assert_eq!((&listed, folders.len(), pages), (&names, 0, names.len().div_ceil(limit)), "{limit}");
    }
    let some = Browse { prefix: "f1", limit: 100, ..Browse::default() };
    assert_eq!(all(&shelf, some).await.0.len(), 10);
    assert!(shelf.browse(user(2), &some).await.unwrap().files.is_empty());
}

#[tokio::test]
async fn a_folder_is_told_once_however_much_is_in_it_and_files_beside_it_are_told_too() {
    let mut names = texts(&["a", "a.txt", "a0", "b/c/d", "b/e", "z", "報/x"]);
    names.extend((0..200).map(|i| format!("a/{i:03}/file")));
    let shelf = shelf(&names).await;
    for limit in [1, 2, 3, 50, 1000] {
        let browse = Browse { folders: true, limit, ..Browse::default() };
        let (files, folders, _) = all(&shelf, browse).await;
        assert_eq!(files, texts(&["a", "a.txt", "a0", "z"]), "{limit}");
        assert_eq!(folders, texts(&["a/", "b/", "報/"]), "{limit}");
        let (files, folders, _) = all(&shelf, Browse { prefix: "b/", ..browse }).await;
        assert_eq!((files, folders), (texts(&["b/e"]), texts(&["b/c/"])), "{limit}");
        let (files, folders, _) = all(&shelf, Browse { prefix: "a/", ..browse }).await;
        assert_eq!((files.len(), folders.len()), (0, 200), "{limit}");
        let (files, folders, _) = all(&shelf, Browse { prefix: "a/1", ..browse }).await;
        assert_eq!((files.len(), folders.len()), (0, 100), "{limit}");
    }
}

#[tokio::test]
async fn a_name_is_found_by_what_is_in_it_also_behind_more_names_than_one_page_looks_at() {
    let mut names: Vec<String> = (0..2100).map(|i| format!("f{i:05}")).collect();
    names.extend(texts(&["x/Needle.txt", "y/a needle", "z"]));
    let shelf = shelf(&names).await;
    // One scan of sixteen names at a time: a hundred of those are a page's work.
    let browse = Browse { contains: Some("needle"), limit: 3, ..Browse::default() };
    let first = shelf.browse(user(1), &browse).await.unwrap();
    assert!(first.files.is_empty() && first.next.is_some(), "bounded, and it goes on");
    let (files, _, pages) = all(&shelf, browse).await;
    assert_eq!((files, pages), (texts(&["x/Needle.txt", "y/a needle"]), 2));
    let (files, folders, _) = all(&shelf, Browse { folders: true, ..browse }).await;
    assert_eq!((files.len(), folders), (0, texts(&["x/", "y/"])));
}

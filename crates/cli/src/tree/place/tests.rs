use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::PathBuf;

use coffer_core::Timestamp;
use tempfile::TempDir;

use super::*;

fn details(mode: u16) -> Details {
    Details {
        modified_at: Some(Timestamp::from_ms(1_700_000_000_123)),
        modified_nanos: Some(456_789),
        mode: Some(mode),
        ..Details::default()
    }
}

fn tree(home: &TempDir) -> (Tree, PathBuf) {
    let root = home.path().join("root");
    (Tree::open(&root, 0o7777).unwrap(), root)
}

impl Tree {
    fn write(&self, below: &str, content: &[u8], replace: &Replace) -> Result<Stamp, PlaceError> {
        let mut part = self.begin()?;
        part.write(content)?;
        self.finish(&part, (below, &details(0o640)), replace)
    }

    fn link(&self, below: &str, target: &str) -> Result<Stamp, PlaceError> {
        let part = self.begin_link(target.as_bytes())?;
        self.finish(&part, (below, &details(0o777)), &Replace::Nothing)
    }
}

#[test]
fn a_file_appears_with_its_mode_and_time_and_nothing_stays_beside_it() {
    let home = TempDir::new().unwrap();
    let (tree, root) = tree(&home);
    let stamp = tree.write("a/b/報告", b"plain", &Replace::Nothing).unwrap();
    let metadata = fs::metadata(root.join("a/b/報告")).unwrap();
    assert_eq!(
        (metadata.mode() & 0o7777, metadata.mtime(), metadata.mtime_nsec()),
        (0o640, 1_700_000_000, 123_456_789)
    );
    assert_eq!(tree.stamp("a/b/報告").unwrap(), stamp);
    drop(tree.begin().unwrap());
    tree.close();
    let names: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a"]);
}

#[test]
fn nothing_is_written_through_a_symbolic_link() {
    let home = TempDir::new().unwrap();
    let (tree, root) = tree(&home);
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, root.join("was there")).unwrap();
    tree.link("brought", outside.to_str().unwrap()).unwrap();
    for way in ["was there", "brought"] {
        let refused = tree.write(&format!("{way}/x"), b"x", &Replace::All);
        assert!(matches!(refused, Err(PlaceError::Through)), "{refused:?}");
        assert!(matches!(tree.make_folder(&format!("{way}/sub")), Err(PlaceError::Through)));
        assert!(matches!(tree.finish_folder(way, &details(0o777)), Err(PlaceError::Through)));
        assert_eq!(tree.stamp(&format!("{way}/x")), None);
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    // A link that is in the way is replaced, not followed.
    fs::write(outside.join("precious"), "precious").unwrap();
    tree.link("link", outside.join("precious").to_str().unwrap()).unwrap();
    assert!(matches!(tree.write("link", b"x", &Replace::Nothing), Err(PlaceError::Exists)));
    tree.write("link", b"x", &Replace::All).unwrap();
    assert_eq!(fs::read(outside.join("precious")).unwrap(), b"precious");
}

#[test]
fn what_is_there_stays_unless_it_is_the_same_or_may_be_replaced() {
    let home = TempDir::new().unwrap();
    let (tree, root) = tree(&home);
    fs::write(root.join("a"), "mine").unwrap();
    fs::create_dir(root.join("folder")).unwrap();
    assert!(matches!(tree.write("a", b"else", &Replace::Nothing), Err(PlaceError::Exists)));
    assert!(matches!(tree.write("folder", b"else", &Replace::All), Err(PlaceError::Folder)));
    let stamp = tree.write("a", b"mine", &Replace::Nothing).unwrap();
    assert_eq!(stamp.mode, 0o640, "the same content gets what is told of it");
    fs::write(root.join("a"), "changed").unwrap();
    assert!(matches!(tree.write("a", b"else", &Replace::If(stamp)), Err(PlaceError::Exists)));
    let now = tree.stamp("a").unwrap();
    tree.write("a", b"else", &Replace::If(now)).unwrap();
    assert_eq!(fs::read(root.join("a")).unwrap(), b"else");
}

#[test]
fn no_entry_meets_files_that_are_being_written() {
    let home = TempDir::new().unwrap();
    let (tree, _) = tree(&home);
    for name in [PARTS.to_owned(), format!("{PARTS}/0")] {
        assert!(matches!(tree.write(&name, b"x", &Replace::All), Err(PlaceError::Reserved)), "{name}");
        assert!(matches!(tree.make_folder(&name), Err(PlaceError::Reserved)), "{name}");
    }
}

#[test]
fn what_a_killed_process_left_is_gone_and_what_changed_since_is_not_removed() {
    let home = TempDir::new().unwrap();
    let (first, root) = tree(&home);
    std::mem::forget(first.begin().unwrap());
    let stamp = first.write("a", b"x", &Replace::Nothing).unwrap();
    let (second, _) = tree(&home);
    fs::write(root.join("a"), "changed").unwrap();
    assert!(!second.remove("a", &stamp).unwrap());
    assert!(second.remove("a", &second.stamp("a").unwrap()).unwrap());
    second.close();
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
}

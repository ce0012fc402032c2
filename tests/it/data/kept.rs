//! Versions and trash over real storage.

use coffer_api::ErrorCode;
use coffer_api::files::FileTrashQuery;

use super::*;

#[tokio::test]
async fn versions_and_deleted_files_are_listed_read_and_brought_back() {
    for stack in [Stack::all().start().await, Stack::separate().gateways(1).start().await] {
        let ann = stack.user("ann").await;
        let client = through(&stack, &ann);
        for version in [1, 4, 9] {
            put(&client, "a/b", version, &envelope(version, 100_000)).await.unwrap();
        }
        let at = FileAt::own("a/b");
        let history = client.file_history(at).await.unwrap().items;
        assert_eq!(history.iter().map(|item| item.version).collect::<Vec<_>>(), [9, 4, 1]);
        assert!(history[0].replaced_at.is_none() && history[1].replaced_at.is_some());
        assert!(get(&client, "a/b", Some(4)).await.unwrap().1 == envelope(4, 100_000));
        let missing = get(&client, "a/b", Some(5)).await.unwrap_err();
        assert_eq!(missing.code(), Some(ErrorCode::VersionNotFound));

        let stale = FileAt { if_match: Some(&history[1].etag), ..at };
        assert_eq!(client.delete_file(stale).await.unwrap_err().code(), Some(ErrorCode::FileChanged));
        client.delete_file(FileAt { if_match: Some(&history[0].etag), ..at }).await.unwrap();
        let gone = get(&client, "a/b", None).await.unwrap_err();
        assert_eq!(gone.code(), Some(ErrorCode::FileNotFound));
        put(&client, "c", 1, &envelope(1, 10)).await.unwrap();
        client.delete_file(FileAt::own("c")).await.unwrap();
        let first = FileTrashQuery { cursor: None, limit: Some(1) };
        let page = client.file_trash(&first).await.unwrap();
        assert_eq!((&*page.items[0].file_name, page.items[0].version), ("a/b", 9));
        let rest = FileTrashQuery { cursor: page.next_cursor, limit: None };
        let page = client.file_trash(&rest).await.unwrap();
        assert_eq!((&*page.items[0].file_name, page.next_cursor), ("c", None));
        assert!(client.file_history(at).await.unwrap().items[0].deleted_at.is_some());

        let restored = client.restore_file("a/b").await.unwrap();
        assert_eq!((restored.version, &restored.etag), (9, &history[0].etag));
        assert!(get(&client, "a/b", None).await.unwrap().1 == envelope(9, 100_000));
        assert_eq!(client.restore_file("a/b").await.unwrap_err().code(), Some(ErrorCode::FileExists));
        assert_eq!(client.restore_file("d").await.unwrap_err().code(), Some(ErrorCode::FileNotFound));
    }
}

//! The listing of the caller's own files: by folders, and by what names have in them.

use coffer_tests::Http;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn files_are_found_by_folder_and_by_what_is_in_their_names() {
    for stack in [Stack::all().start().await, Stack::separate().gateways(1).start().await] {
        let (ann, http) = (stack.user("ann").await, Http::default());
        let client = direct(&stack, &ann);
        for name in ["a/1", "a/2", "b/c/Report 2026", "top"] {
            put(&client, name, 3, &envelope(1, 10)).await.unwrap();
        }
        stack.surface().store(&ann.sid, "classic report", b"x").await;
        let list = async |query: &str| {
            let url = stack.gateway_url(&format!("/api/v1/files?{query}"));
            http.get_as(&ann.sid, &url).await.expect_status(200).json()
        };
        let names = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().expect("a list").iter();
            items.map(|item| item["file_name"].as_str().expect("a name").to_owned()).collect()
        };
        let page = list("delimiter=/").await;
        assert_eq!(names(&page), ["classic report", "top"]);
        assert_eq!(page["common_prefixes"], json!(["a/", "b/"]));
        assert_eq!(page["items"][0].get("version"), None, "a classic file has none");
        let head = client.head_file(FileAt::own("top"), None).await.unwrap();
        assert_eq!((&page["items"][1]["version"], &page["items"][1]["etag"]), (&json!(3), &json!(head.etag)));
        assert_eq!(page["items"][1]["size_bytes"], head.size_bytes);
        let page = list("delimiter=/&prefix=b/").await;
        assert_eq!((names(&page).len(), &page["common_prefixes"]), (0, &json!(["b/c/"])));
        assert_eq!(names(&list("contains=REPORT").await), ["b/c/Report 2026", "classic report"]);
        let first = list("delimiter=/&limit=1").await;
        assert_eq!(first["common_prefixes"], json!(["a/"]));
        let cursor = first["next_cursor"].as_str().expect("there is more");
        assert_eq!(
            list(&format!("delimiter=/&limit=1&cursor={cursor}")).await["common_prefixes"],
            json!(["b/"])
        );
        for wrong in ["delimiter=x", "cursor=x", "limit=0"] {
            let url = stack.data_url(&format!("/api/v1/files?{wrong}"));
            http.get_as(&ann.sid, &url).await.expect_status(422);
        }
    }
}

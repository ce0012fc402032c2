//! What is put comes back, whole and in part, on every storage and through the gateway.

use coffer_api::ErrorCode;
use coffer_tests::Http;

use super::*;

#[tokio::test]
async fn an_envelope_comes_back_byte_for_byte_from_every_storage_directly_and_through_the_gateway() {
    for stack in [Stack::all().start().await, Stack::separate().gateways(1).start().await] {
        let ann = stack.user("ann").await;
        let ways = [direct(&stack, &ann), through(&stack, &ann)];
        for (number, plaintext) in [0, 1, 60_000, 70_000, 1 << 20, (5 << 20) + 77].into_iter().enumerate() {
            let name = format!("a folder/{plaintext} 報.bin");
            for (way, version) in ways.iter().zip(1..) {
                let bytes = envelope(version * 100 + number as u64, plaintext);
                let stored = put(way, &name, version, &bytes).await.unwrap();
                assert_eq!((stored.version, stored.size_bytes), (version, bytes.len() as u64));
                for way in &ways {
                    assert!(get(way, &name, None).await.unwrap() == (version, bytes.clone()), "{name}");
                    let head = way.head_file(FileAt::own(&name), None).await.unwrap();
                    assert_eq!((head.version, head.size_bytes), (version, bytes.len() as u64));
                    assert_eq!(head.etag, stored.etag);
                }
            }
            assert!(
                get(&ways[1], &name, Some(1)).await.unwrap().1 == envelope(100 + number as u64, plaintext)
            );
        }
    }
}

#[tokio::test]
async fn ranges_and_conditions_are_answered_as_http_has_them() {
    let stack = Stack::all().start().await;
    let (ann, http) = (stack.user("ann").await, Http::default());
    let bytes = envelope(1, 3 << 20);
    let whole = bytes.len();
    let stored = put(&direct(&stack, &ann), "f", 1, &bytes).await.unwrap();
    for url in [stack.data_url("/api/v1/files/f"), stack.gateway_url("/api/v1/files/f")] {
        let ask = async |method: &str, headers: &[(&str, &str)]| {
            let headers = [&[("sid", ann.sid.as_str())], headers].concat();
            http.send_raw(method, &url, &headers, None).await
        };
        let part = ask("GET", &[("range", "bytes=1048000-1049999")]).await.expect_status(206);
        assert!(part.body == bytes[1_048_000..1_050_000]);
        assert_eq!(part.header("content-range"), Some(&*format!("bytes 1048000-1049999/{whole}")));
        assert_eq!(part.header("content-length"), Some("2000"));
        let end = ask("GET", &[("range", "bytes=-10")]).await.expect_status(206);
        assert!(end.body == bytes[whole - 10..]);
        let behind = ask("GET", &[("range", &format!("bytes={whole}-"))]).await.expect_status(416);
        assert_eq!(behind.field("code"), "range_not_satisfiable");
        assert_eq!(behind.header("content-range"), Some(&*format!("bytes */{whole}")));
        let several = ask("GET", &[("range", "bytes=0-1,5-6")]).await.expect_status(200);
        assert!(several.body == bytes);
        assert_eq!(several.header("accept-ranges"), Some("bytes"));
        assert_eq!(several.header("content-type"), Some("application/vnd.coffer.envelope"));
        assert_eq!(several.header("coffer-file-version"), Some("1"));
        assert_eq!(several.header("cache-control"), Some("no-store, private"));
        let still = [("range", "bytes=0-9"), ("if-range", stored.etag.as_str())];
        assert_eq!(ask("GET", &still).await.expect_status(206).body.len(), 10);
        let other = [("range", "bytes=0-9"), ("if-range", "\"another\"")];
        assert_eq!(ask("GET", &other).await.expect_status(200).body.len(), whole);
        for method in ["GET", "HEAD"] {
            let known = ask(method, &[("if-none-match", &stored.etag)]).await.expect_status(304);
            assert_eq!((known.header("etag"), known.body.len()), (Some(stored.etag.as_str()), 0));
            ask(method, &[("if-match", "\"another\"")]).await.expect_status(412);
        }
        let head = ask("HEAD", &[]).await.expect_status(200);
        assert_eq!(head.header("content-length"), Some(&*whole.to_string()));
        ask("GET", &[("coffer-owner", "nobody@example.com")]).await.expect_status(403);
        ask("PATCH", &[]).await.expect_status(405);
    }
}

#[tokio::test]
async fn what_may_not_be_stored_is_refused_by_name() {
    let stack = Stack::all().start().await;
    let (ann, ben) = (stack.user("ann").await, stack.user("ben").await);
    let (client, bytes) = (direct(&stack, &ann), envelope(1, 100_000));
    stack.surface().store(&ann.sid, "classic", b"x").await;
    let code = |outcome: Result<_, ClientError>| {
        outcome.map(|_: coffer_api::files::StoredFile| ()).unwrap_err().code()
    };
    assert_eq!(code(put(&client, "classic", 1, &bytes).await), Some(ErrorCode::FileExists));
    put(&client, "f", 2, &bytes).await.unwrap();
    for version in [1, 2] {
        assert_eq!(code(put(&client, "f", version, &bytes).await), Some(ErrorCode::Conflict));
    }
    for version in [0, 1 << 53] {
        assert_eq!(code(put(&client, "f", version, &bytes).await), Some(ErrorCode::InvalidInput));
    }
    let new = FileAt { if_none_match: Some("*"), ..FileAt::own("f") };
    assert_eq!(code(client.put_file(new, 3, (None, streamed(&bytes))).await), Some(ErrorCode::FileChanged));
    assert_eq!(code(put(&client, "g", 1, &[7; 200]).await), Some(ErrorCode::InvalidInput));
    let of_ann = FileAt { owner: Some(&ann.email), ..FileAt::own("f") };
    let by_ben = direct(&stack, &ben).put_file(of_ann, 3, (None, streamed(&bytes))).await;
    assert_eq!(code(by_ben), Some(ErrorCode::AccessDenied));
    let (surface, sid) = (stack.surface(), &ann.sid);
    surface.upload(sid, "f", b"x").await.expect(409, 409, "file_exists");
    surface.download(sid, "f").await.expect(404, 404, "file_not_found");
    assert_eq!(get(&client, "classic", None).await.unwrap_err().code(), Some(ErrorCode::FileNotFound));
    assert_eq!(surface.list(sid).await, ["classic", "f"]);
}

#[tokio::test]
async fn who_was_granted_a_file_reads_it_and_its_ranges_until_that_is_taken_back() {
    let stack = Stack::all().start().await;
    let (ann, ben, surface) = (stack.user("ann").await, stack.user("ben").await, stack.surface());
    surface.public_key(&ann.sid, "f").await.expect(200, 200, "public_key_saved");
    let bytes = envelope(1, 2 << 20);
    put(&direct(&stack, &ann), "f", 1, &bytes).await.unwrap();
    let reader = direct(&stack, &ben);
    assert!(get(&reader, "f", None).await.is_err());
    surface.grant(&ann.sid, "f", &ben.email).await.expect(200, 200, "grant_success");
    assert!(get(&reader, "f", None).await.unwrap().1 == bytes);
    let of_ann = FileAt { owner: Some(&ann.email), ..FileAt::own("f") };
    let part = reader.get_file(of_ann, None, Some(5..9)).await.unwrap();
    assert_eq!((part.length, part.head.size_bytes), (4, bytes.len() as u64));
    assert!(reader.delete_file(of_ann).await.is_err(), "a grant to read is none to delete");
    surface.revoke(&ann.sid, "f", &ben.email).await;
    coffer_tests::until("the grant is gone", std::time::Duration::from_secs(3), || async {
        reader.get_file(of_ann, None, Some(5..9)).await.is_err()
    })
    .await;
}

//! `files.shared_names`: the original's openness for its unchanged clients.

use coffer_tests::{Stack, envelope, python, python_script, run};
use serde_json::{Value, json};

#[tokio::test]
async fn the_data_service_asks_for_no_session() {
    let stack = Stack::all().shared_names().start().await;
    let surface = stack.surface();
    surface.upload("", "a", b"content").await.expect(200, 200, "upload_success");
    surface.upload("", "a", b"content").await.expect(409, 409, "file_exists");
    assert_eq!(surface.download("", "a").await.expect_status(200).data(), b"content");
    surface.download("", "unknown").await.expect(404, 404, "file_not_found");
    let url = stack.data_url("/list_files");
    let list = surface.http.get(&url).await.expect(200, 200, "list_files_success").json();
    assert_eq!(list["files"], json!(["a"]));
    let mut body = envelope("b", b"content");
    body["encrypted_data"] = json!("");
    surface.http.post(&stack.data_url("/upload"), body).await.expect(400, 400, "missing_fields");
    let body = json!({ "file_name": "b" });
    surface.http.post(&stack.data_url("/upload"), body).await.expect_status(422);
    surface.http.get(&stack.data_url("/download")).await.expect_status(422);
}

#[tokio::test]
async fn there_is_one_name_space_whose_keys_the_kms_still_guards() {
    let stack = Stack::all().shared_names().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    surface.public_key("", "a").await.expect(200, 403, "invalid_session");
    surface.private_key("", "a").await.expect(200, 403, "invalid_session");
    surface.grant("", "a", &ben.email).await.expect(200, 403, "invalid_session");
    surface.public_key(&ann.sid, "a").await.expect(200, 200, "public_key_saved");
    // Taken by its owner, though nothing is uploaded yet.
    surface.public_key(&ben.sid, "a").await.expect(200, 400, "file_exists");
    surface.public_key(&ann.sid, "a").await.expect(200, 200, "public_key_saved");
    surface.upload("", "a", b"content").await.expect(200, 200, "upload_success");
    surface.public_key(&ann.sid, "a").await.expect(200, 400, "file_exists");
    assert_eq!(surface.download("", "a").await.data(), b"content");

    surface.private_key(&ann.sid, "a").await.expect(200, 200, "private_key_retrieved");
    surface.private_key(&ben.sid, "a").await.expect(200, 400, "access_denied");
    surface.private_key(&ben.sid, "unknown").await.expect(200, 400, "access_denied");
    surface.grant(&ben.sid, "a", &ben.email).await.expect(200, 400, "permission_denied");
    surface.grant(&ann.sid, "a", &ben.email).await.expect(200, 200, "grant_success");
    surface.private_key(&ben.sid, "a").await.expect(200, 200, "private_key_retrieved");
    surface.revoke(&ann.sid, "a", &ben.email).await;
    surface.private_key(&ben.sid, "a").await.expect(200, 400, "access_denied");
}

#[tokio::test]
async fn registering_and_logging_in_are_as_in_the_default_mode() {
    let stack = Stack::all().shared_names().start().await;
    let surface = stack.surface();
    let code = stack.register_code("ann@example.com", "pw").await;
    surface.register("ann@example.com", "pw").await.expect(200, 400, "user_exists");
    surface.verify_register("ann@example.com", "000000").await.expect(200, 401, "otp_failed");
    surface.verify_register("ann@example.com", &code).await.expect(200, 200, "registration_success");
    surface.verify_register("ann@example.com", &code).await.expect(200, 400, "no_pending_registration");
    surface.login("ann@example.com", "wrong").await.expect(200, 401, "login_failed");
    surface.verify_login("ann@example.com", "000000").await.expect(200, 401, "otp_failed");
    stack.login("ann@example.com", "pw").await;
}

#[tokio::test]
async fn an_unchanged_client_works_and_both_services_warn_at_every_start() {
    let stack = Stack::separate().shared_names().set("COFFER_KMS__AUTH__EMAIL_OTP", "optional").start().await;
    let (ann, ben) = (stack.user("ann").await, stack.user("ben").await);
    let client = async |sid: &str, arguments: &[&str]| -> Value {
        let script = python_script("original_client.py").display().to_string();
        let mut all = vec![script.as_str(), &stack.kms[0].url, &stack.data[0].url, sid];
        all.extend(arguments);
        serde_json::from_slice(&run(&python().display().to_string(), &all).await).expect("JSON")
    };
    let file = stack.directory().join("file");
    std::fs::write(&file, "内容").expect("the directory can be written");
    let (file, fetched) = (file.display().to_string(), stack.directory().join("fetched"));
    let target = fetched.display().to_string();
    assert_eq!(client(&ann.sid, &["put", "報告 2026.bin", &file]).await["message"], "upload_success");
    assert_eq!(client("-", &["list"]).await["files"], json!(["報告 2026.bin"]));
    assert_eq!(client(&ben.sid, &["get", "報告 2026.bin", &target]).await["message"], "access_denied");
    client(&ann.sid, &["grant", "報告 2026.bin", &ben.email]).await;
    assert_eq!(client(&ben.sid, &["get", "報告 2026.bin", &target]).await["code"], 200);
    assert_eq!(std::fs::read(&fetched).expect("the client wrote it"), "内容".as_bytes());

    for process in stack.processes() {
        process.kill();
        process.start();
    }
    stack.ready().await;
    for process in stack.processes() {
        let log = process.log();
        let warnings =
            log.lines().filter(|line| line.contains("WARN") && line.contains("shared_names")).count();
        assert!(warnings >= 2, "one at each start\n{log}");
    }
}

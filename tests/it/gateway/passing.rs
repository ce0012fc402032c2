//! Native calls and files, passed on to the services that answer them.

use coffer_tests::{Http, Stack, envelope};
use serde_json::json;

/// What a gateway may need beyond what it has idle, for a transfer of any size.
const TRANSFER_KIB_MAX: u64 = 24 * 1024;

#[tokio::test]
async fn native_calls_are_answered_as_the_service_behind_answers_them() {
    let stack = Stack::separate().gateways(1).start().await;
    let (ann, http) = (stack.user("ann").await, Http::default());
    let me = http.get_as(&ann.sid, &stack.gateway_url("/api/v1/me")).await.expect_status(200);
    assert_eq!(me.json(), http.get_as(&ann.sid, &stack.kms_url("/api/v1/me")).await.json());
    let key = json!({ "name": "a/b c" });
    http.post_as(&ann.sid, &stack.gateway_url("/api/v1/file-keys"), key).await.expect_status(200);
    let keys = http.get_as(&ann.sid, &stack.gateway_url("/api/v1/file-keys?limit=1")).await;
    assert_eq!(keys.expect_status(200).json()["items"][0]["name"], "a/b c");
    let files = http.get_as(&ann.sid, &stack.gateway_url("/api/v1/files?prefix=a%2F")).await;
    files.expect_status(200);

    let refused = http.get_as("no session", &stack.gateway_url("/api/v1/me")).await.expect_status(401);
    assert_eq!(refused.field("code"), "invalid_session");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    http.send("DELETE", &stack.gateway_url("/api/v1/me"), Some(&ann.sid), None).await.expect_status(405);
    http.get(&stack.gateway_url("/api/v1/nothing")).await.expect_status(404);
    http.get(&stack.gateway_url("/internal/v1/feed")).await.expect_status(404);
}

#[tokio::test]
async fn a_request_keeps_its_id_and_trace_on_the_way() {
    let stack = Stack::separate().gateways(1).start().await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("x-request-id", "a-request-of-this-test"), ("traceparent", parent)];
    let url = stack.gateway_url("/api/v1/me");
    let answer = Http::default().send_raw("GET", &url, &headers, None).await.expect_status(401);
    assert_eq!(answer.header("x-request-id"), Some("a-request-of-this-test"));
    assert_eq!(answer.field("request_id"), "a-request-of-this-test");
    assert!(stack.kms[0].process.log().contains("0af7651916cd43dd8448eb211c80319c"));
}

#[tokio::test]
async fn forty_mebibytes_pass_up_and_down_in_little_memory() {
    let stack = Stack::separate().gateways(1).start().await;
    let (ann, http) = (stack.user("ann").await, Http::default());
    let gateway = &stack.gateways[0].process;
    http.get_as(&ann.sid, &stack.gateway_url("/list_files")).await.expect_status(200);
    let before = gateway.memory_kib("VmHWM");
    let data: Vec<u8> = (0..40 * 1024 * 1024_u32).map(|at| at.to_le_bytes()[at as usize % 3]).collect();
    let body = envelope("large.bin", &data);
    let sent = http.post_as(&ann.sid, &stack.gateway_url("/upload"), body).await;
    sent.expect(200, 200, "upload_success");
    let url = stack.gateway_url("/download?file_name=large.bin");
    let answer = http.get_as(&ann.sid, &url).await.expect_status(200);
    assert!(answer.data() == data, "what came back is what was sent");
    let grown = gateway.memory_kib("VmHWM") - before;
    assert!(grown < TRANSFER_KIB_MAX, "{grown} KiB more");
}

#[tokio::test]
async fn a_body_that_is_too_large_or_breaks_off_is_refused_and_kept_nowhere() {
    let stack = Stack::separate().gateways(1).start().await;
    let (ann, http) = (stack.user("ann").await, Http::tolerant());
    let huge = vec![b' '; 65 * 1024 * 1024];
    let headers = [("sid", ann.sid.as_str())];
    let answer = http.send_raw("POST", &stack.gateway_url("/upload"), &headers, Some(huge)).await;
    assert!(matches!(answer.status, 0 | 413), "{answer}");
    assert!(stack.surface().list(&ann.sid).await.is_empty());
    stack.gateways[0].ready().await;
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_whole_body_was_sent_is_passed_back() {
    let stack = Stack::separate().gateways(1).start().await;
    let body = envelope("large.bin", &vec![7; 20 * 1024 * 1024]).to_string().into_bytes();
    for _ in 0..5 {
        let url = stack.gateway_url("/upload");
        let answer = Http::tolerant().send_raw("POST", &url, &[], Some(body.clone())).await;
        assert!(matches!(answer.status, 0 | 401), "{answer}");
    }
    let lost = stack.gateways[0].process.log().matches("bad_gateway").count();
    assert_eq!(lost, 0, "the gateway understood every refusal");
}

//! `/grant_access`, and what a name leads to.

use coffer_tests::Stack;
use serde_json::json;

#[tokio::test]
async fn only_the_owner_of_a_file_grants() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let (ann, ben, cid) = (stack.user("ann").await, stack.user("ben").await, stack.user("cid").await);
    surface.store(&ann.sid, "a", b"content").await;
    surface.grant(&ben.sid, "a", &cid.email).await.expect(200, 400, "permission_denied");
    surface.grant(&ann.sid, "unknown", &ben.email).await.expect(200, 400, "permission_denied");
    surface.grant(&ann.sid, "a", &ben.email).await.expect(200, 200, "grant_success");
    surface.grant(&ann.sid, "a", &ben.email).await.expect(200, 200, "grant_success");
    // Being granted is not being the owner.
    surface.grant(&ben.sid, "a", &cid.email).await.expect(200, 400, "permission_denied");
    surface.download(&cid.sid, "a").await.expect(404, 404, "file_not_found");
}

#[tokio::test]
async fn a_grant_to_an_unknown_address_looks_the_same_and_takes_effect_on_verifying() {
    let stack = Stack::all().start().await;
    let (surface, ann) = (stack.surface(), stack.user("ann").await);
    surface.store(&ann.sid, "a", b"content").await;
    stack.user("known").await;
    let known = surface.grant(&ann.sid, "a", "known@example.com").await.expect(200, 200, "grant_success");
    let unknown = surface.grant(&ann.sid, "a", "late@example.com").await.expect(200, 200, "grant_success");
    assert_eq!(known.json(), unknown.json());
    let late = stack.user("late").await;
    assert_eq!(surface.download(&late.sid, "a").await.expect_status(200).data(), b"content");
    surface.private_key(&late.sid, "a").await.expect(200, 200, "private_key_retrieved");
    assert_eq!(surface.list(&late.sid).await, ["a"]);
}

#[tokio::test]
async fn a_name_means_the_own_uploaded_file_then_the_oldest_grant_then_the_own_unfinished_one() {
    let stack = Stack::all().start().await;
    let surface = stack.surface();
    let (ann, ben, cid) = (stack.user("ann").await, stack.user("ben").await, stack.user("cid").await);
    surface.store(&ann.sid, "report.pdf", b"of ann").await;
    surface.store(&ben.sid, "report.pdf", b"of ben").await;
    surface.grant(&ben.sid, "report.pdf", &cid.email).await.expect(200, 200, "grant_success");
    surface.grant(&ann.sid, "report.pdf", &cid.email).await.expect(200, 200, "grant_success");
    let key = async |sid: &str| {
        let answer = surface.private_key(sid, "report.pdf").await.expect(200, 200, "private_key_retrieved");
        answer.json()["kms_private_key"].clone()
    };
    let content = async |sid: &str| surface.download(sid, "report.pdf").await.expect_status(200).data();

    assert_eq!(content(&cid.sid).await, b"of ben");
    assert_eq!(key(&cid.sid).await, key(&ben.sid).await);
    // An unfinished file of one's own stands behind what was granted; an uploaded one before it.
    surface.public_key(&cid.sid, "report.pdf").await.expect(200, 200, "public_key_saved");
    assert_eq!(key(&cid.sid).await, key(&ben.sid).await);
    surface.upload(&cid.sid, "report.pdf", b"of cid").await.expect(200, 200, "upload_success");
    assert_eq!(content(&cid.sid).await, b"of cid");
    let own = key(&cid.sid).await;
    assert!(own != key(&ben.sid).await && own != key(&ann.sid).await);

    // An owner can always be named.
    for (owner, expected) in [(&ann, b"of ann"), (&ben, b"of ben"), (&cid, b"of cid")] {
        let url = format!("{}/download?file_name=report.pdf&owner={}", surface.data, owner.email);
        assert_eq!(surface.http.get_as(&cid.sid, &url).await.expect_status(200).data(), expected);
        let body = json!({ "file_name": "report.pdf", "owner": owner.email });
        let named = surface.kms("/get_private_key", &cid.sid, body).await;
        let named = named.expect(200, 200, "private_key_retrieved").json()["kms_private_key"].clone();
        assert_eq!(named, key(&owner.sid).await);
    }
    let url = format!("{}/download?file_name=report.pdf&owner={}", surface.data, cid.email);
    surface.http.get_as(&ann.sid, &url).await.expect(403, 403, "access_denied");
}

#[tokio::test]
async fn two_owners_may_have_a_file_of_one_name() {
    let stack = Stack::all().start().await;
    let (surface, ann, ben) = (stack.surface(), stack.user("ann").await, stack.user("ben").await);
    surface.store(&ann.sid, "report.pdf", b"of ann").await;
    surface.store(&ben.sid, "report.pdf", b"of ben").await;
    assert_eq!(surface.download(&ann.sid, "report.pdf").await.data(), b"of ann");
    assert_eq!(surface.download(&ben.sid, "report.pdf").await.data(), b"of ben");
}

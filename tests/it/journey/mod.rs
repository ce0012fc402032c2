//! The main job, end to end: two people register and log in by code; one stores files; the other is
//! refused, granted, gets identical bytes, is revoked and refused within two seconds.
//!
//! The journey is written once and walked by the command line, by `curl` with `openssl`, and by a client
//! of the original in Python, on one process over embedded storage and on separate ones over Redis.

mod by_cli;
mod by_curl;
mod by_original;
mod of_configs;
mod of_keys;
mod of_programs;
mod of_references;
mod of_texts;
mod of_trees;
mod started;

use std::time::Duration;

use coffer_tests::{Stack, run, until};
use tokio::time::{Instant, sleep};

use by_cli::ByCli;
use by_curl::ByCurl;
use by_original::ByOriginal;

/// By then every service has polled the feed again.
const SETTLED: Duration = Duration::from_millis(1200);

/// What a download came to.
#[derive(Debug, PartialEq, Eq)]
enum Download {
    Bytes(Vec<u8>),
    /// The data service still gave the envelope; only the KMS refused the key.
    Ciphertext,
    Refused,
}

/// Somebody with a client.
trait Person {
    fn email(&self) -> &str;
    /// Asks for an account; a code follows by mail.
    async fn register(&mut self);
    async fn verify_register(&mut self, code: &str);
    /// Gives the password; a code follows by mail.
    async fn login(&mut self);
    async fn verify_login(&mut self, code: &str);
    async fn put(&self, name: &str, content: &[u8]);
    async fn get(&self, name: &str) -> Download;
    async fn share(&self, name: &str, friend: &str);
    async fn unshare(&self, name: &str, friend: &str);
}

async fn join(stack: &Stack, person: &mut impl Person) {
    let email = person.email().to_owned();
    person.register().await;
    let code = stack.mailbox.code_after(&email, 0).await;
    person.verify_register(&code).await;
    person.login().await;
    let code = stack.mailbox.code_after(&email, 1).await;
    person.verify_login(&code).await;
}

async fn walk(stack: &Stack, owner: &mut impl Person, friend: &mut impl Person) {
    join(stack, owner).await;
    join(stack, friend).await;
    let large = run("openssl", &["rand", "40000000"]).await;
    let files: [(&str, &[u8]); 3] =
        [("large.bin", &large), ("empty", b""), ("報告 2026.bin", "内容".as_bytes())];
    for (name, content) in files {
        owner.put(name, content).await;
        assert!(friend.get(name).await == Download::Refused, "{name} before it is shared");
        owner.share(name, friend.email()).await;
        assert!(friend.get(name).await == Download::Bytes(content.to_vec()), "{name} for the friend");
        assert!(owner.get(name).await == Download::Bytes(content.to_vec()), "{name} for the owner");
        // Until the data service has acted on the grant's own event, that alone would make it forget.
        sleep(SETTLED).await;
        assert!(friend.get(name).await == Download::Bytes(content.to_vec()), "{name} from memory");
        let revoked = Instant::now();
        owner.unshare(name, friend.email()).await;
        let limit = Duration::from_secs(2);
        until("the friend is refused again", limit, || async { friend.get(name).await == Download::Refused })
            .await;
        assert!(revoked.elapsed() < Duration::from_secs(4), "a refusal itself is quick");
    }
}

#[tokio::test]
async fn the_journey_by_command_line_in_one_process() {
    let stack = Stack::all().start().await;
    let (mut owner, mut friend) = (ByCli::new(&stack, "ann"), ByCli::new(&stack, "ben"));
    walk(&stack, &mut owner, &mut friend).await;
}

#[tokio::test]
async fn the_journey_by_command_line_over_redis_with_mail_by_smtp() {
    let stack = Stack::separate().start().await;
    let (mut owner, mut friend) = (ByCli::new(&stack, "ann"), ByCli::new(&stack, "ben"));
    walk(&stack, &mut owner, &mut friend).await;
}

#[tokio::test]
async fn the_journey_by_curl_in_one_process() {
    let stack = Stack::all().start().await;
    let (mut owner, mut friend) = (ByCurl::new(&stack, "ann"), ByCurl::new(&stack, "ben"));
    walk(&stack, &mut owner, &mut friend).await;
}

#[tokio::test]
async fn the_journey_by_curl_over_redis_with_mail_by_smtp() {
    let stack = Stack::separate().start().await;
    let (mut owner, mut friend) = (ByCurl::new(&stack, "ann"), ByCurl::new(&stack, "ben"));
    walk(&stack, &mut owner, &mut friend).await;
}

#[tokio::test]
async fn a_client_of_the_original_with_sessions_works_in_the_default_mode() {
    let stack = Stack::all().start().await;
    let (mut owner, mut friend) = (ByOriginal::new(&stack, "ann"), ByOriginal::new(&stack, "ben"));
    walk(&stack, &mut owner, &mut friend).await;
}

#[tokio::test]
async fn files_move_between_the_command_line_curl_and_the_original_client() {
    let stack = Stack::all().start().await;
    let mut cli = ByCli::classic(&stack, "ann");
    let mut curl = ByCurl::new(&stack, "ben");
    let mut original = ByOriginal::new(&stack, "cid");
    join(&stack, &mut cli).await;
    join(&stack, &mut curl).await;
    join(&stack, &mut original).await;
    let emails = [cli.email(), curl.email(), original.email()].map(str::to_owned);
    cli.put("from cli", b"of cli").await;
    curl.put("from curl", b"of curl").await;
    original.put("from original", b"of original").await;
    let [ann, ben, cid] = &emails;
    for (one, other) in [(ben, cid), (ann, cid), (ann, ben)] {
        for friend in [one, other] {
            match [ann, ben, cid].map(|email| email != one && email != other) {
                [true, ..] => cli.share("from cli", friend).await,
                [_, true, _] => curl.share("from curl", friend).await,
                _ => original.share("from original", friend).await,
            }
        }
    }
    for (name, content) in
        [("from cli", "of cli"), ("from curl", "of curl"), ("from original", "of original")]
    {
        let expected = Download::Bytes(content.into());
        assert_eq!(cli.get(name).await, expected);
        assert_eq!(curl.get(name).await, expected);
        assert_eq!(original.get(name).await, expected);
    }
}

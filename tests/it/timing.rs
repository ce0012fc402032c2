//! Whether an account exists does not show in how long an answer takes.
//!
//! Known and unknown accounts are asked in turn, so that a busy machine slows both alike, and medians
//! are compared. Password checks are made expensive enough that leaving one out would change the median
//! many times over.

use std::time::Duration;

use coffer_tests::Stack;
use serde_json::json;
use tokio::time::Instant;

/// How long calls took.
#[derive(Default)]
struct Times {
    known: Vec<Duration>,
    unknown: Vec<Duration>,
}

impl Times {
    /// Calls both in turn.
    async fn measure<A: Future, B: Future>(
        &mut self,
        rounds: usize,
        known: impl Fn() -> A,
        unknown: impl Fn() -> B,
    ) {
        for _ in 0..rounds {
            let started = Instant::now();
            known().await;
            self.known.push(started.elapsed());
            let started = Instant::now();
            unknown().await;
            self.unknown.push(started.elapsed());
        }
    }

    /// Fails if the medians differ by more than a factor of two.
    fn assert_alike(mut self, what: &str) {
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2].as_secs_f64()
        };
        let (known, unknown) = (median(&mut self.known), median(&mut self.unknown));
        let ratio = known / unknown;
        assert!((0.5..=2.0).contains(&ratio), "{what}: known {known:.4} s, unknown {unknown:.4} s");
    }
}

/// Calls both in turn and fails if their median times differ by more than a factor of two.
async fn compare<A: Future, B: Future>(
    what: &str,
    rounds: usize,
    known: impl Fn() -> A,
    unknown: impl Fn() -> B,
) {
    let mut times = Times::default();
    times.measure(rounds, known, unknown).await;
    times.assert_alike(what);
}

#[tokio::test]
async fn checks_take_the_same_time_whether_or_not_the_account_exists() {
    let stack = Stack::all().set("COFFER_KMS__AUTH__BCRYPT_COST", "10").start().await;
    let ann = stack.user("ann").await;
    let surface = stack.surface();
    let (known, unknown) = (ann.email.as_str(), "nobody@example.com");
    compare("wrong password", 15, || surface.login(known, "wrong"), || surface.login(unknown, "wrong")).await;

    let native = |email: &str| {
        let body = json!({ "email": email, "password": "wrong" });
        let url = stack.kms_url("/api/v1/sessions");
        let http = surface.http.clone();
        async move { http.post(&url, body).await.expect_status(401) }
    };
    compare("native log-in", 15, || native(known), || native(unknown)).await;

    let mut times = Times::default();
    for _ in 0..15 {
        // Five wrong tries end a code, so there is a new one for every four: it is still open after them.
        let code = stack.login_code(known, &ann.password).await;
        let wrong = if code == "999999" { "999998" } else { "999999" };
        let (of_known, of_unknown) =
            (|| surface.verify_login(known, wrong), || surface.verify_login(unknown, wrong));
        times.measure(4, of_known, of_unknown).await;
        surface.verify_login(known, &code).await.expect(200, 200, "login_success");
    }
    times.assert_alike("wrong code");

    let reset = |email: &str| {
        let body = json!({ "email": email });
        let url = stack.kms_url("/api/v1/password/reset");
        let http = surface.http.clone();
        async move { http.post(&url, body).await }
    };
    let (first, second) = (reset(known).await, reset(unknown).await);
    assert_eq!(first.status, second.status, "a reset tells nobody who has an account");
    compare("asking for a reset", 40, || reset(known), || reset(unknown)).await;
}

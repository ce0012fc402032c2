//! When a public listener opens: once its service is ready for the first time.
//!
//! A balancer that finds replicas by name sends requests to one as soon as the name leads there, before its first check
//! of health. A connection that is refused goes to another replica; an answer "not ready" goes to the client. Road not
//! taken: leaving this to the balancer. `HAProxy` can hold a new server back since 3.1 only, others
//! cannot at all.

use std::time::Duration;

use crate::health::Health;

/// How long a listener waits. After it, clients are told what is wrong instead of finding nobody.
pub(super) const WITHIN: Duration = Duration::from_secs(3);
/// How often it is asked whether the service is ready meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// Waits until the service has what it needs, at most for `limit`.
pub(super) async fn wait_until_ready(health: &Health, limit: Duration) {
    let ready = async {
        while !health.has_what_it_needs().await {
            tokio::time::sleep(POLL).await;
        }
    };
    // What is missing is named by `/readyz`; what follows is the same in either case.
    let _ = tokio::time::timeout(limit, ready).await;
}

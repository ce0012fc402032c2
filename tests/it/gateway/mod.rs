//! The gateway: identity of the key-value contract, passing on, browsers, and what happens when something it
//! needs is away.

mod browsers;
mod configs;
mod cookie_keys;
mod cut;
mod edges;
mod expiry;
mod identity;
mod key_outages;
mod keys;
mod large_values;
mod native_keys;
mod outages;
mod passing;
mod replicated_keys;
mod sharing;
mod slow_watchers;
mod usage;
mod usage_kept;
mod watching;

use coffer_tests::{Builder, Stack};

/// The stacks on which the contract must hold: embedded storage and Redis, with codes or without.
fn stacks() -> [(Builder, bool); 4] {
    let stack = |builder: Builder, otp: &str| builder.set("COFFER_KMS__AUTH__EMAIL_OTP", otp);
    let on_redis = || Stack::separate().gateways(1);
    [
        (stack(Stack::all(), "required"), true),
        (stack(Stack::all(), "optional"), false),
        (stack(on_redis(), "required"), true),
        (stack(on_redis(), "optional"), false),
    ]
}

/// Embedded storage and Redis, for what does not depend on codes.
async fn both() -> [Stack; 2] {
    [Stack::all().start().await, Stack::separate().gateways(1).start().await]
}

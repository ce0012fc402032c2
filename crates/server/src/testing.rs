//! For tests of services.

use std::path::Path;

use utoipa::openapi::OpenApi;

/// Fails unless `served` is the document that `proto-docs/openapi` keeps under this name. With `COFFER_RENEW` set in
/// the environment it becomes that document.
pub fn assert_kept(name: &str, served: &OpenApi) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs/openapi").join(name);
    let served = served.to_pretty_json().expect("a document is JSON") + "\n";
    if std::env::var_os("COFFER_RENEW").is_some() {
        std::fs::write(&path, &served).expect("the document can be written");
    }
    let kept = std::fs::read_to_string(&path).expect("the document is kept");
    assert!(kept == served, "proto-docs/openapi/{name} is stale: COFFER_RENEW=1 renews it");
}

//! The documents under `proto-docs` that speak of this crate say what the code says.
//!
//! `COFFER_RENEW=1 cargo test -p coffer-api --test documents` writes `error-codes.md` anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use coffer_api::ErrorCode;
use coffer_api::paths::{internal, operations};

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs").join(name)
}

fn error_codes() -> String {
    let mut text = "# Error codes\n\n\
        Generated from the `error_codes!` table of `coffer-api`; `CONTRIBUTING.md` says how to renew it.\n\n\
        Native calls (`/api/v1`) answer with the status and a problem document (RFC 9457) whose `code` is the text. The file\n\
        contract's data service repeats the status in `code`; its KMS answers HTTP 200 with the number of the last column, except\n\
        for 422, 405, 413, 408 and 5xx. The gateway's contracts answer with the status and a text in `detail`. 429, 502 and 503 carry `Retry-After`, in seconds.\n\n\
        | code | HTTP status | means | KMS contract |\n|---|---|---|---|\n"
        .to_owned();
    for code in ErrorCode::ALL {
        let (text_form, title) = (code.as_str(), code.title());
        writeln!(text, "| `{text_form}` | {} | {title} | {} |", code.status(), code.kms_contract_code())
            .expect("a string takes everything");
    }
    text
}

#[test]
fn every_error_code_is_documented() {
    let path = document("error-codes.md");
    if std::env::var_os("COFFER_RENEW").is_some() {
        std::fs::write(&path, error_codes()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == error_codes(), "proto-docs/error-codes.md is stale: COFFER_RENEW=1 renews it");
}

#[test]
fn every_internal_path_is_documented() {
    let written = std::fs::read_to_string(document("internal-http.md")).unwrap();
    let paths = [
        internal::KEYRING,
        internal::SESSIONS_CHECK,
        internal::SESSIONS_TOUCH,
        internal::ACCESS_RESOLVE,
        internal::ACCESS_SHARED,
        internal::FEED,
        internal::USERS_REGISTER,
        internal::USERS_REGISTER_VERIFY,
        internal::USERS_LOG_IN,
        internal::USERS_LOG_IN_VERIFY,
        internal::USERS_LOG_OUT,
        internal::USERS_ME,
        internal::USERS_LIST,
        internal::USERS_FACTS,
        internal::ADDRESSES_BLIND,
        internal::ADDRESSES_OWNER,
        internal::FILES_EXISTS,
        internal::FILES_HEADS,
        internal::FILES_HEADS_REPLACE,
        internal::FILES_FENCE,
        operations::HEALTHZ,
        operations::READYZ,
        operations::METRICS,
    ];
    for path in paths {
        assert!(written.contains(&format!("`{path}`")), "proto-docs/internal-http.md says nothing of {path}");
    }
    let documented = written.matches("| `/").count();
    assert_eq!(documented, paths.len(), "proto-docs/internal-http.md names a path that is not served");
}

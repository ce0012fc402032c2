//! Every path of every service, once. Segments in braces are parameters.

/// The native surface; each path stands beside the types of its bodies.
pub mod v1 {
    pub use crate::configs::{
        CONFIGS_BATCH, CONFIGS_DIFF, CONFIGS_EXPORT, CONFIGS_HISTORY, CONFIGS_IMPORT, CONFIGS_ITEMS,
        CONFIGS_PROMOTE, CONFIGS_REKEY, CONFIGS_ROLLBACK, CONFIGS_SCHEMA, CONFIGS_SUMMARY, CONFIGS_UNREAD,
        CONFIGS_VALUE, CONFIGS_WATCH,
    };
    pub use crate::file_copies::{FILE_COPY, FILE_MOVE, FILE_VERSIONS_COPY};
    pub use crate::file_keys::{
        FILE_KEY_DESTROY, FILE_KEY_EXPORT, FILE_KEY_ROTATE, FILE_KEY_SHOW, FILE_KEY_UNWRAP, FILE_KEY_USES,
        FILE_KEY_VERSIONS, FILE_KEYS,
    };
    pub use crate::file_versions::{
        FILE_VERSIONS, FILE_VERSIONS_OPEN, FILE_VERSIONS_PRESENT, FILE_VERSIONS_PUBLISH,
    };
    pub use crate::files::{FILE, FILE_HISTORY, FILE_TRASH, FILE_TRASH_RESTORE, FILES};
    pub use crate::grants::{GRANTS, GRANTS_REVOKE, SHARED};
    pub use crate::identity::{
        EVENTS, ME, PASSWORD, PASSWORD_RESET, PASSWORD_RESET_VERIFY, REGISTRATIONS, REGISTRATIONS_CODE,
        REGISTRATIONS_VERIFY, SESSION, SESSIONS, SESSIONS_CURRENT, SESSIONS_VERIFY, USER, USERS,
    };
    pub use crate::kv::{
        KV_BATCH, KV_CHANGES, KV_COPY, KV_DIFF, KV_GRANTS, KV_GRANTS_REVOKE, KV_HISTORY, KV_ITEMS, KV_META,
        KV_MOVE, KV_RESTORE, KV_SHARED, KV_TRASH, KV_TRASH_RESTORE, KV_VALUE, KV_WATCH,
    };
    pub use crate::usage::{
        USAGE, USAGE_DAYS, USAGE_HOURS, USAGE_KEY, USAGE_RECENT, USAGE_TOP, USAGE_UNREAD,
    };

    /// Everything native starts with this.
    pub const PREFIX: &str = "/api/";
}

/// Service to service, on the internal listener only. All POST.
pub mod internal {
    /// Everything service to service starts with this.
    pub const PREFIX: &str = "/internal/";
    /// KMS: the caller's keyring, wrapped for it.
    pub const KEYRING: &str = "/internal/v1/keyring";
    /// KMS: whose session a token opens.
    pub const SESSIONS_CHECK: &str = "/internal/v1/sessions/check";
    /// KMS: when sessions were last used, in batches.
    pub const SESSIONS_TOUCH: &str = "/internal/v1/sessions/touch";
    /// KMS: where a name leads for a user.
    pub const ACCESS_RESOLVE: &str = "/internal/v1/access/resolve";
    /// KMS: the files that others shared with a user.
    pub const ACCESS_SHARED: &str = "/internal/v1/access/shared";
    /// KMS: what has been revoked since.
    pub const FEED: &str = "/internal/v1/feed";
    /// KMS, for the gateway: becomes a user with a name.
    pub const USERS_REGISTER: &str = "/internal/v1/users/register";
    /// KMS, for the gateway: completes a registration by its code.
    pub const USERS_REGISTER_VERIFY: &str = "/internal/v1/users/register/verify";
    /// KMS, for the gateway: logs in by name and password.
    pub const USERS_LOG_IN: &str = "/internal/v1/users/login";
    /// KMS, for the gateway: completes a log-in by its code.
    pub const USERS_LOG_IN_VERIFY: &str = "/internal/v1/users/login/verify";
    /// KMS, for the gateway: ends the session that a token opens.
    pub const USERS_LOG_OUT: &str = "/internal/v1/users/logout";
    /// KMS, for the gateway: whose session a token opens, with everything about the user.
    pub const USERS_ME: &str = "/internal/v1/users/me";
    /// KMS, for the gateway: all users, for who may see them.
    pub const USERS_LIST: &str = "/internal/v1/users/list";
    /// KMS, for the gateway: who users are.
    pub const USERS_FACTS: &str = "/internal/v1/users/facts";
    /// KMS, for the gateway: an address as grants know it.
    pub const ADDRESSES_BLIND: &str = "/internal/v1/addresses/blind";
    /// KMS, for the gateway: who proved an address.
    pub const ADDRESSES_OWNER: &str = "/internal/v1/addresses/owner";
    /// Data service: whether a file was uploaded.
    pub const FILES_EXISTS: &str = "/internal/v1/files/exists";
    /// Data service: heads that are wrapped for an old version of a file key.
    pub const FILES_HEADS: &str = "/internal/v1/files/heads";
    /// Data service: puts heads in the place of others.
    pub const FILES_HEADS_REPLACE: &str = "/internal/v1/files/heads/replace";
    /// Data service: which versions of a file key are taken in from now on.
    pub const FILES_FENCE: &str = "/internal/v1/files/fence";
}

/// For operators, on the internal listener only. All GET.
pub mod operations {
    /// The process runs.
    pub const HEALTHZ: &str = "/healthz";
    /// The process and what it depends on can serve.
    pub const READYZ: &str = "/readyz";
    /// Prometheus text.
    pub const METRICS: &str = "/metrics";
}

/// The documents of a public surface. All GET.
pub mod documents {
    /// The OpenAPI document.
    pub const OPENAPI: &str = "/openapi.json";
    /// The page that shows it.
    pub const DOCS: &str = "/docs";
}

/// The file contract.
pub mod contract {
    pub use crate::files::{DOWNLOAD, LIST_FILES, UPLOAD};

    /// KMS, POST: asks for an account.
    pub const REGISTER: &str = "/register";
    /// KMS, POST: proves the address by a code.
    pub const VERIFY_REGISTER: &str = "/verify_register";
    /// KMS, POST: logs in by password.
    pub const LOGIN: &str = "/login";
    /// KMS, POST: completes a log-in by a code.
    pub const VERIFY_LOGIN: &str = "/verify_login";
    /// KMS, POST: makes a file key.
    pub const GET_PUBLIC_KEY: &str = "/get_public_key";
    /// KMS, POST: hands out a private key.
    pub const GET_PRIVATE_KEY: &str = "/get_private_key";
    /// KMS, POST: shares a file.
    pub const GRANT_ACCESS: &str = "/grant_access";
}

/// Request and response headers of our own.
pub mod headers {
    /// The session token, as the source systems send it.
    pub const SID: &str = "sid";
    /// Names a request in logs, from its first server on.
    pub const REQUEST_ID: &str = "x-request-id";
    /// From the gateway: the network address of the client whose request it passes on.
    pub const CLIENT_ADDRESS: &str = "coffer-client-address";
    /// From the gateway: the service token without which [`CLIENT_ADDRESS`] counts for nothing.
    pub const SERVICE_TOKEN: &str = "coffer-service-token";
    /// To the gateway, at a log-in: `cookie` asks for a session that no script can read.
    pub const SESSION: &str = "coffer-session";
    /// To the gateway, with a cookie: any value; a page of another origin cannot send it.
    pub const CSRF: &str = "coffer-csrf";
    /// To the data service: whose file is meant, by e-mail address, if not the caller's own.
    pub const OWNER: &str = "coffer-owner";
    /// To and from the data service: which version of a file's content this is.
    pub const FILE_VERSION: &str = "coffer-file-version";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
}

//! The KMS's native surface, as a user of it: one method for each call, typed at both ends.

use std::sync::Arc;

use coffer_api::file_copies::{RegisterCopy, RegisteredCopy};
use coffer_api::file_keys::{
    CreateFileKey, DestroyFileKey, ExportFileKey, ExportedFileKey, FileKey, FileKeyPage, FileKeySummary,
    KeyUses, KeyVersions, KeyVersionsOf, ListUses, PageQuery, RotateFileKey, ShowFileKey, UnwrapRequest,
    UnwrapResponse, UsesPage,
};
use coffer_api::file_versions::{
    OpenVersions, OpenedVersions, PresentVersions, PublishVersions, PublishedVersions, RegisterVersions,
    RegisteredVersions, ShowVersions,
};
use coffer_api::grants::{CreateGrant, Grant, GrantPage, ListGrants, RevokeGrant, SharedFile, SharedPage};
use coffer_api::identity::{
    ChangePassword, EndedSessions, Event, EventPage, EventQuery, LogIn, LogInAnswer, Me, NewSession,
    Register, Registered, RegistrationPending, RequestReset, ResendCode, ResetRequested, SessionList, User,
    UserChange, UserPage, UserQuery, VerifyLogIn, VerifyRegistration, VerifyReset, session_path, user_path,
};
use coffer_api::paths::v1;
use coffer_core::limits::PAGE_ITEMS_MAX;
use coffer_core::{SecretString, UserId};
use reqwest::Method;

use crate::ClientError;
use crate::calls::Calls;

/// The KMS, asked as one user or as nobody.
#[derive(Clone, Debug)]
pub struct KmsClient {
    calls: Calls,
}

impl KmsClient {
    /// The KMS at `base`, asked with this session if given.
    pub fn new(base: &str, token: Option<Arc<SecretString>>) -> Result<Self, ClientError> {
        Ok(Self { calls: Calls::new(base, token)? })
    }

    /// Asks for an account; a code goes to the address.
    pub async fn register(&self, body: &Register) -> Result<RegistrationPending, ClientError> {
        self.calls.call(Method::POST, v1::REGISTRATIONS, body).await
    }

    /// Proves the address by the code.
    pub async fn verify_registration(&self, body: &VerifyRegistration) -> Result<Registered, ClientError> {
        self.calls.call(Method::POST, v1::REGISTRATIONS_VERIFY, body).await
    }

    /// Asks for another code for a pending registration.
    pub async fn resend_code(&self, body: &ResendCode) -> Result<RegistrationPending, ClientError> {
        self.calls.call(Method::POST, v1::REGISTRATIONS_CODE, body).await
    }

    /// The first step of logging in.
    pub async fn log_in(&self, body: &LogIn) -> Result<LogInAnswer, ClientError> {
        self.calls.call(Method::POST, v1::SESSIONS, body).await
    }

    /// The second step of logging in.
    pub async fn verify_log_in(&self, body: &VerifyLogIn) -> Result<NewSession, ClientError> {
        self.calls.call(Method::POST, v1::SESSIONS_VERIFY, body).await
    }

    /// Ends this session.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        self.calls.bare(Method::DELETE, v1::SESSIONS_CURRENT).await
    }

    /// Who the session belongs to.
    pub async fn me(&self) -> Result<Me, ClientError> {
        self.calls.get(v1::ME, &()).await
    }

    /// The caller's live sessions.
    pub async fn sessions(&self) -> Result<SessionList, ClientError> {
        self.calls.get(v1::SESSIONS, &()).await
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(&self, id: &str) -> Result<(), ClientError> {
        self.calls.bare(Method::DELETE, &session_path(id)).await
    }

    /// Ends all of the caller's sessions, this one included.
    pub async fn end_all_sessions(&self) -> Result<EndedSessions, ClientError> {
        self.calls.bare(Method::DELETE, v1::SESSIONS).await
    }

    /// Changes the caller's password.
    pub async fn change_password(&self, body: &ChangePassword) -> Result<(), ClientError> {
        self.calls.call(Method::POST, v1::PASSWORD, body).await
    }

    /// Asks for a code that allows a new password.
    pub async fn request_reset(&self, body: &RequestReset) -> Result<ResetRequested, ClientError> {
        self.calls.call(Method::POST, v1::PASSWORD_RESET, body).await
    }

    /// Sets a new password by code.
    pub async fn verify_reset(&self, body: &VerifyReset) -> Result<(), ClientError> {
        self.calls.call(Method::POST, v1::PASSWORD_RESET_VERIFY, body).await
    }

    /// Makes a file key, or finds the one there is while its file has not been uploaded.
    pub async fn create_file_key(&self, body: &CreateFileKey) -> Result<FileKey, ClientError> {
        self.calls.call(Method::POST, v1::FILE_KEYS, body).await
    }

    /// The public side of a file key: the caller's own, or one that is shared.
    pub async fn show_file_key(&self, query: &ShowFileKey) -> Result<FileKey, ClientError> {
        self.calls.get(v1::FILE_KEY_SHOW, query).await
    }

    /// Opens what was wrapped for a file key; the key itself stays in the KMS.
    pub async fn unwrap(&self, body: &UnwrapRequest) -> Result<UnwrapResponse, ClientError> {
        self.calls.call(Method::POST, v1::FILE_KEY_UNWRAP, body).await
    }

    /// The caller's own file keys; all pages.
    pub async fn file_keys_all(&self) -> Result<Vec<FileKeySummary>, ClientError> {
        let mut query = PageQuery { cursor: None, limit: Some(PAGE_ITEMS_MAX) };
        let mut all = Vec::new();
        loop {
            let page: FileKeyPage = self.calls.get(v1::FILE_KEYS, &query).await?;
            all.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// The versions of a file key of the caller's.
    pub async fn file_key_versions(&self, name: &str) -> Result<KeyVersions, ClientError> {
        self.calls.get(v1::FILE_KEY_VERSIONS, &KeyVersionsOf { name: name.into() }).await
    }

    /// Gives a file key of the caller's another version.
    pub async fn rotate_file_key(&self, body: &RotateFileKey) -> Result<KeyVersions, ClientError> {
        self.calls.call(Method::POST, v1::FILE_KEY_ROTATE, body).await
    }

    /// Removes old versions of a file key of the caller's, for good.
    pub async fn destroy_file_key(&self, body: &DestroyFileKey) -> Result<KeyVersions, ClientError> {
        self.calls.call(Method::POST, v1::FILE_KEY_DESTROY, body).await
    }

    /// The private half of a file key.
    pub async fn export_file_key(&self, body: &ExportFileKey) -> Result<ExportedFileKey, ClientError> {
        self.calls.call(Method::POST, v1::FILE_KEY_EXPORT, body).await
    }

    /// What others did with a file key of the caller's; all pages.
    pub async fn file_key_uses_all(&self, name: &str) -> Result<Vec<KeyUses>, ClientError> {
        let mut query = ListUses { name: name.into(), cursor: None, limit: Some(PAGE_ITEMS_MAX) };
        let mut all = Vec::new();
        loop {
            let page: UsesPage = self.calls.get(v1::FILE_KEY_USES, &query).await?;
            all.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Registers versions of files that are about to be uploaded.
    pub async fn register_versions(
        &self,
        body: &RegisterVersions,
    ) -> Result<RegisteredVersions, ClientError> {
        self.calls.call(Method::POST, v1::FILE_VERSIONS, body).await
    }

    /// Says that versions of files were uploaded.
    pub async fn publish_versions(&self, body: &PublishVersions) -> Result<PublishedVersions, ClientError> {
        self.calls.call(Method::POST, v1::FILE_VERSIONS_PUBLISH, body).await
    }

    /// The latest published versions of files.
    pub async fn present_versions(&self, body: &ShowVersions) -> Result<PresentVersions, ClientError> {
        self.calls.call(Method::POST, v1::FILE_VERSIONS_PRESENT, body).await
    }

    /// The content keys of versions of files, as the data service handed them out.
    pub async fn open_versions(&self, body: &OpenVersions) -> Result<OpenedVersions, ClientError> {
        self.calls.call(Method::POST, v1::FILE_VERSIONS_OPEN, body).await
    }

    /// Registers a copy of content that is there.
    pub async fn register_copy(&self, body: &RegisterCopy) -> Result<RegisteredCopy, ClientError> {
        self.calls.call(Method::POST, v1::FILE_VERSIONS_COPY, body).await
    }

    /// Gives somebody access to a file of the caller's.
    pub async fn create_grant(&self, body: &CreateGrant) -> Result<Grant, ClientError> {
        self.calls.call(Method::POST, v1::GRANTS, body).await
    }

    /// Takes access away.
    pub async fn revoke_grant(&self, body: &RevokeGrant) -> Result<(), ClientError> {
        self.calls.call(Method::POST, v1::GRANTS_REVOKE, body).await
    }

    /// Who has access to a file of the caller's; all pages.
    pub async fn grants_all(&self, name: &str) -> Result<Vec<Grant>, ClientError> {
        let mut query = ListGrants { name: name.into(), cursor: None, limit: Some(PAGE_ITEMS_MAX) };
        let mut all = Vec::new();
        loop {
            let page: GrantPage = self.calls.get(v1::GRANTS, &query).await?;
            all.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }

    /// What others have shared with the caller; all pages.
    pub async fn shared_all(&self) -> Result<Vec<SharedFile>, ClientError> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let query = [("limit", Some(PAGE_ITEMS_MAX.to_string())), ("cursor", cursor)];
            let page: SharedPage = self.calls.get(v1::SHARED, &query).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// All users that `query` asks for, in all pages; administrators only.
    pub async fn users_all(&self, mut query: UserQuery) -> Result<Vec<User>, ClientError> {
        query.limit = Some(PAGE_ITEMS_MAX);
        let mut all = Vec::new();
        loop {
            let page: UserPage = self.calls.get(v1::USERS, &query).await?;
            all.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }

    /// Changes a user; administrators only.
    pub async fn change_user(&self, id: UserId, change: &UserChange) -> Result<User, ClientError> {
        self.calls.call(Method::PATCH, &user_path(id), change).await
    }

    /// The newest events that `query` asks for, at most `events_max`; administrators only.
    pub async fn events_newest(
        &self,
        mut query: EventQuery,
        events_max: usize,
    ) -> Result<Vec<Event>, ClientError> {
        let mut newest: Vec<Event> = Vec::new();
        while newest.len() < events_max {
            query.limit = Some((events_max - newest.len()).min(PAGE_ITEMS_MAX));
            let page: EventPage = self.calls.get(v1::EVENTS, &query).await?;
            newest.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        newest.truncate(events_max);
        Ok(newest)
    }
}

//! `auth.*`: passwords, codes and sessions.

use std::time::Duration;

use serde::Deserialize;

/// When a log-in needs a code from an e-mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailOtp {
    /// Always.
    #[default]
    Required,
    /// Only on the file contract. A native log-in answers with a session at once, and that session cannot
    /// export, unwrap or grant file keys.
    Optional,
}

/// How people log in, and for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthSettings {
    /// When a log-in needs a code.
    pub email_otp: EmailOtp,
    /// A session ends when it is not used for so long, in seconds.
    pub session_ttl_s: u32,
    /// A session ends so long after it began, used or not, in seconds.
    pub session_lifetime_s: u32,
    /// Sessions of one user at a time; a new one beyond that ends the oldest.
    pub sessions_per_user_max: usize,
    /// A one-time code ends so long after it was sent, in seconds.
    pub otp_ttl_s: u32,
    /// The work of one password check, 4 to 31; each step doubles it.
    pub bcrypt_cost: u32,
    /// Threads that check passwords; 0 means one for each core.
    pub bcrypt_threads: usize,
    /// Password checks that may wait for a thread; more are answered 503.
    pub bcrypt_queue_max: usize,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            email_otp: EmailOtp::Required,
            session_ttl_s: 3600,
            session_lifetime_s: 24 * 3600,
            sessions_per_user_max: 100,
            otp_ttl_s: 600,
            bcrypt_cost: 12,
            bcrypt_threads: 0,
            bcrypt_queue_max: 256,
        }
    }
}

/// A setting that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// bcrypt knows no such cost.
    #[error("`auth.bcrypt_cost` is {0}: it must be between 4 and 31, and 12 or more to resist guessing")]
    Cost(u32),
    /// What would end at once.
    #[error("`auth.{0}` must not be 0")]
    Zero(&'static str),
}

impl AuthSettings {
    /// Whether these can be.
    pub(crate) fn check(&self) -> Result<(), AuthError> {
        if !(4..=31).contains(&self.bcrypt_cost) {
            return Err(AuthError::Cost(self.bcrypt_cost));
        }
        let spans = [
            ("session_ttl_s", self.session_ttl_s),
            ("session_lifetime_s", self.session_lifetime_s),
            ("otp_ttl_s", self.otp_ttl_s),
        ];
        spans.iter().find(|(_, span)| *span == 0).map_or(Ok(()), |(name, _)| Err(AuthError::Zero(name)))
    }

    /// [`Self::session_ttl_s`] as a duration.
    pub fn session_ttl(&self) -> Duration {
        Duration::from_secs(self.session_ttl_s.into())
    }

    /// [`Self::session_lifetime_s`] as a duration.
    pub fn session_lifetime(&self) -> Duration {
        Duration::from_secs(self.session_lifetime_s.into())
    }

    /// [`Self::otp_ttl_s`] as a duration.
    pub fn otp_ttl(&self) -> Duration {
        Duration::from_secs(self.otp_ttl_s.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_without_a_word_about_it_is_what_the_contract_says() {
        let settings = AuthSettings::default();
        assert_eq!(settings.bcrypt_cost, 12);
        assert_eq!((settings.otp_ttl_s, settings.session_ttl_s), (600, 3600));
        assert_eq!(settings.email_otp, EmailOtp::Required);
    }
}

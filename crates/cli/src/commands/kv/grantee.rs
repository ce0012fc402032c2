//! Which keys are shared, and with whom: what `share` and `unshare` have in common.

use std::str::FromStr;

use coffer_api::Role;
use coffer_core::{EmailAddress, EmailError};

/// Keys, and whom a grant of them is for.
#[derive(Debug, clap::Args)]
pub(super) struct Access {
    /// The key; with / at its end, all keys that begin with it
    key: String,
    /// All keys that begin with KEY, also without / at its end; all of yours if it is empty
    #[arg(long, conflicts_with = "exact")]
    prefix: bool,
    /// Only this key, though it has / at its end
    #[arg(long)]
    exact: bool,
    /// Who: an e-mail address, with or without an account, or role:ROLE
    #[arg(long, value_name = "WHO")]
    with: Grantee,
}

impl Access {
    /// The keys as typed.
    pub(super) fn name(&self) -> &str {
        &self.key
    }

    /// The fields `key` and `prefix` of calls: one of them.
    pub(super) fn keys(&self) -> (Option<String>, Option<String>) {
        let name = Some(self.key.clone());
        if self.prefix || (self.key.ends_with('/') && !self.exact) { (None, name) } else { (name, None) }
    }

    /// The fields `email` and `role` of calls: one of them.
    pub(super) fn grantee(&self) -> (Option<String>, Option<Role>) {
        match &self.with {
            Grantee::User(email) => (Some(email.as_str().to_owned()), None),
            Grantee::Role(role) => (None, Some(*role)),
        }
    }
}

/// Somebody by address, or everybody with a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grantee {
    User(EmailAddress),
    Role(Role),
}

/// A text that names nobody.
#[derive(Debug, thiserror::Error)]
pub(super) enum GranteeError {
    #[error("expected role:contractor, role:employee, role:supervisor or role:admin")]
    Role,
    #[error(transparent)]
    Email(#[from] EmailError),
}

impl FromStr for Grantee {
    type Err = GranteeError;

    fn from_str(text: &str) -> Result<Self, GranteeError> {
        match text.strip_prefix("role:") {
            Some(role) => role.parse().map(Self::Role).map_err(|_| GranteeError::Role),
            None => Ok(Self::User(text.parse()?)),
        }
    }
}

/// Keys for people: the key, or the prefix with a star.
pub(super) fn keys_text(key: Option<&str>, prefix: Option<&str>) -> String {
    key.map_or_else(|| format!("{}*", prefix.unwrap_or_default()), ToOwned::to_owned)
}

/// A grantee for people.
pub(super) fn who_text(email: Option<&str>, role: Option<Role>) -> String {
    match (email, role) {
        (Some(email), _) => email.to_owned(),
        (None, Some(role)) => format!("every {role}"),
        (None, None) => "nobody".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_means_all_below_unless_told_otherwise() {
        let fields = |key: &str, prefix: bool, exact: bool| {
            let access = Access { key: key.into(), prefix, exact, with: Grantee::Role(Role::Employee) };
            let (key, prefix) = access.keys();
            (key.unwrap_or_default(), prefix)
        };
        assert_eq!(fields("a", false, false), ("a".into(), None));
        assert_eq!(fields("a/", false, false), (String::new(), Some("a/".into())));
        assert_eq!(fields("a/", false, true), ("a/".into(), None));
        assert_eq!(fields("", true, false), (String::new(), Some(String::new())));
    }

    #[test]
    fn a_grantee_is_an_address_or_a_role() {
        assert_eq!("role:employee".parse::<Grantee>().unwrap(), Grantee::Role(Role::Employee));
        assert!(matches!("Bob@example.com".parse().unwrap(), Grantee::User(_)));
        for text in ["role:", "role:boss", "bob", ""] {
            assert!(text.parse::<Grantee>().is_err(), "{text}");
        }
    }
}

//! Whose keys are meant.

use std::str::FromStr;

use coffer_core::{EmailAddress, EmailError, UserId};

/// A user by address or id, as calls name an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner(String);

impl FromStr for Owner {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        if let Ok(id) = text.parse::<UserId>() {
            return Ok(Self(id.to_string()));
        }
        text.parse::<EmailAddress>().map(|email| Self(email.as_str().to_owned()))
    }
}

impl Owner {
    /// The owner as calls take it.
    pub(super) fn into_name(self) -> String {
        self.0
    }
}

/// The option that names an owner.
#[derive(Debug, clap::Args)]
pub(super) struct OfOwner {
    /// Whose keys, by e-mail address or id; your own if not given
    #[arg(long = "owner", value_name = "WHO")]
    owner: Option<Owner>,
}

impl OfOwner {
    /// The owner as calls take it.
    pub(super) fn name(&self) -> Option<String> {
        self.owner.clone().map(Owner::into_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_an_address_or_an_id_and_nothing_else() {
        let owner = |text: &str| text.parse::<Owner>().map(|owner| owner.0);
        assert_eq!(owner("Ann@Example.com").unwrap(), "ann@example.com");
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!(owner(id).unwrap(), id);
        for text in ["", "ann", "0190163d"] {
            assert!(owner(text).is_err(), "{text}");
        }
    }
}

//! How an account stands to whoever tries something on it.

use coffer_api::AddressHash;
use coffer_auth::code::Purpose;
use coffer_auth::token::OpaqueToken;
use coffer_core::{SecretString, UserId};

use super::client::{Client, Surface};
use super::error::IdentityError;
use super::limiter::{Counted, Rule};
use super::parts::Identity;
use crate::repo::address::{Bucket, Code};
use crate::repo::user::{Known, KnownPlaces};

/// Where a client comes from, and whether the account was used from there before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) place: Known,
    pub(super) known: KnownPlaces,
}

impl Standing {
    /// Whether the account was used from this device or address before.
    pub(super) fn is_recognised(&self) -> bool {
        self.known.device || self.known.address
    }

    /// Whether this is who asked for `code`.
    pub(super) fn asked_for(&self, code: &Code) -> bool {
        let same_device = self.place.device.is_some() && self.place.device == code.requester.device;
        same_device || self.place.address == code.requester.address
    }

    /// In which bucket a try of `code` counts.
    pub(super) fn bucket(&self, code: &Code) -> Bucket {
        if self.asked_for(code) {
            Bucket::Requester
        } else if self.is_recognised() {
            Bucket::Recognised
        } else {
            Bucket::Stranger
        }
    }

    /// Whose allowance is used, if not that of all strangers together: a recognised device's, or a
    /// recognised or asking network address's.
    pub(super) fn own_allowance(&self, asked: bool) -> Option<[u8; 32]> {
        match self.place.device {
            Some(device) if self.known.device => Some(device),
            _ if self.known.address || asked => Some(self.place.address),
            _ => None,
        }
    }
}

impl Identity {
    /// Remembers where a user logged in from; a native client without a known device becomes one.
    pub(super) async fn remember_place(
        &self,
        user: UserId,
        client: &Client,
    ) -> Result<Option<SecretString>, IdentityError> {
        let place = client.place(&self.index);
        let (_, known) = self.users.load_from(user, &place).await?;
        let token =
            (client.surface == Surface::Native && !known.device).then(|| OpaqueToken::make(&*self.random));
        let device = match &token {
            Some(token) => Some(token.hash()),
            None => place.device.filter(|_| known.device),
        };
        self.users.remember_log_in(user, &Known { device, ..place }, self.now()).await?;
        Ok(token.map(OpaqueToken::into_text))
    }

    /// Remembers the network address from which somebody proved by a code that an account is his. So it is
    /// recognised from the first log-in on: strangers who guess meanwhile do not lock its owner out.
    pub(super) async fn remember_address(&self, user: UserId, client: &Client) -> Result<(), IdentityError> {
        let place = Known { device: None, ..client.place(&self.index) };
        Ok(self.users.remember(user, &place, self.now()).await?)
    }

    /// Counts a call that tries or asks for something, by its network address.
    pub(super) async fn limit_address(&self, place: &Known) -> Result<(), IdentityError> {
        let rule = Rule {
            name: "authentication by address",
            max: self.limits.auth_per_address_max,
            window: self.limits.auth_window(),
        };
        self.limiter.count(rule, &[&place.address]).await.map(drop)
    }

    /// Counts a try on an account. `asked` says whether this client asked for the code that it tries.
    pub(super) async fn limit_account(
        &self,
        account: &AddressHash,
        standing: &Standing,
        asked: bool,
    ) -> Result<Counted, IdentityError> {
        let window = self.limits.auth_window();
        let account = account.as_bytes().as_slice();
        if let Some(own) = standing.own_allowance(asked) {
            let max = self.limits.auth_per_device_max;
            let rule = Rule { name: "authentication by device", max, window };
            self.limiter.count(rule, &[account, &own]).await
        } else {
            let max = self.limits.auth_per_account_max;
            let rule = Rule { name: "authentication by account", max, window };
            self.limiter.count(rule, &[account]).await
        }
    }

    /// Counts a request for a code, by its network address.
    pub(super) async fn limit_codes_of_address(&self, place: &Known) -> Result<(), IdentityError> {
        let max = self.limits.codes_per_address_max;
        let rule = Rule { name: "codes by address", max, window: self.limits.code_window() };
        self.limiter.count(rule, &[&place.address]).await.map(drop)
    }

    /// Counts a request for a code for an account. Each purpose is counted apart: whoever asks for resets
    /// takes no codes from those who log in.
    pub(super) async fn limit_codes_of_account(
        &self,
        account: &AddressHash,
        standing: &Standing,
        purpose: Purpose,
    ) -> Result<(), IdentityError> {
        let window = self.limits.code_window();
        let (account, purpose) = (account.as_bytes().as_slice(), purpose.as_str().as_bytes());
        if let Some(own) = standing.own_allowance(false) {
            let rule = Rule { name: "codes by device", max: self.limits.codes_per_device_max, window };
            self.limiter.count(rule, &[account, &own, purpose]).await.map(drop)
        } else {
            let rule = Rule { name: "codes by account", max: self.limits.codes_per_account_max, window };
            self.limiter.count(rule, &[account, purpose]).await.map(drop)
        }
    }
}

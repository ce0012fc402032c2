//! How often codes may be tried, beside the tries that each code has.
//!
//! New codes can be asked for all day, and each brings new tries; so wrong tries are counted over a day as
//! well. Three allowances are apart, for each account and purpose: one for every device or address that is
//! recognised, one for all others together who asked for a code, and one for everybody else together. Thus
//! nobody who guesses takes a try from a recognised place, and whoever neither knows the password nor has asked
//! takes none from who did. A try that is right is taken back.

use std::time::Duration;

use coffer_auth::code::Purpose;

use super::account::Account;
use super::error::IdentityError;
use super::limiter::{Counted, Rule};
use super::parts::Identity;

/// The window of the daily allowance.
const DAY: Duration = Duration::from_hours(24);

/// A try of a code, counted.
#[derive(Clone, Copy, Debug)]
#[must_use = "a try that succeeded must be taken back"]
pub(super) struct CountedTry {
    lately: Counted,
    today: Counted,
}

impl Identity {
    /// Counts a try of a code for `purpose`: whoever asked for one has an allowance of his own.
    pub(super) async fn limit_try(
        &self,
        account: &Account,
        purpose: Purpose,
    ) -> Result<CountedTry, IdentityError> {
        let mut codes = account.state.codes_for(purpose);
        let asked = codes.any(|code| account.standing.asked_for(&code.value));
        let lately = self.limit_account(&account.hash, &account.standing, asked).await?;
        let today = self.limit_tries_of_day(account, purpose, asked).await?;
        Ok(CountedTry { lately, today })
    }

    async fn limit_tries_of_day(
        &self,
        account: &Account,
        purpose: Purpose,
        asked: bool,
    ) -> Result<Counted, IdentityError> {
        let rule = |name| Rule { name, max: self.limits.wrong_codes_per_day_max, window: DAY };
        let (hash, purpose) = (account.hash.as_bytes().as_slice(), purpose.as_str().as_bytes());
        match account.standing.own_allowance(false) {
            Some(own) => {
                self.limiter.count(rule("codes tried in a day by device"), &[hash, &own, purpose]).await
            }
            None if asked => {
                self.limiter.count(rule("codes tried in a day on request"), &[hash, purpose]).await
            }
            None => self.limiter.count(rule("codes tried in a day by strangers"), &[hash, purpose]).await,
        }
    }

    /// Takes a try back that was right.
    pub(super) async fn take_back_try(&self, counted: CountedTry) -> Result<(), IdentityError> {
        self.limiter.take_back(counted.lately).await?;
        self.limiter.take_back(counted.today).await
    }
}

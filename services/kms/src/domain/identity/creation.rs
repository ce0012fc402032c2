//! From a proved address to a user, in steps that a crash may interrupt anywhere.
//!
//! 1. The address is claimed for the user's id, in the address's partition; the code and the pending
//!    registration stay.
//! 2. The user name, if one is wished for, is claimed in its partition.
//! 3. A number is taken.
//! 4. The user is made, in its own partition, guarded by there being neither a user nor a tombstone.
//! 5. The pending registration and its codes are deleted.
//!
//! Whoever enters the same code again after a crash goes through the same steps and finds done what was
//! done. After the wait has expired, a claim whose user was never made is stale: the next to prove the
//! address commits a tombstone for that id first, so that the user cannot appear later after all.

use std::time::Duration;

use coffer_api::Role;
use coffer_auth::code::Purpose;
use coffer_core::{EmailAddress, Timestamp, UserId, UserName};

use super::account::Account;
use super::codes::CONFLICTS_MAX;
use super::error::IdentityError;
use super::parts::Identity;
use crate::repo::address::{AddressChange, Claim, Code, Pending, Versioned};
use crate::repo::user::{Creation, Profile};
use crate::repo::user_name::NameClaim;

/// A claim on a name whose user is not made yet is left alone for so long: somebody may be at it.
const NAME_CLAIM_GRACE: Duration = Duration::from_secs(30);

/// What is known of somebody who becomes a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proved {
    /// The address is his.
    pub(super) address: bool,
    /// He chose the password: somebody else may have begun the registration that he completes.
    pub(super) password: bool,
}

impl Identity {
    /// Completes the pending registration of `account`, whose `code` was entered.
    pub(super) async fn complete_registration(
        &self,
        account: &mut Account,
        email: &EmailAddress,
        code: &Versioned<Code>,
    ) -> Result<Profile, IdentityError> {
        for _ in 0..CONFLICTS_MAX {
            let is_outstanding = account.state.codes.iter().any(|it| it.value.id == code.value.id);
            let Some(pending) = account.state.pending.clone().filter(|_| is_outstanding) else {
                return Err(IdentityError::OtpFailed);
            };
            let claimed = self.claim_address(account, &pending, code).await?;
            if claimed {
                let proved = Proved { address: true, password: account.began_registration() };
                match self.make_user((email, proved), &pending.value).await? {
                    Some(profile) => {
                        self.clear_registration(account).await?;
                        return Ok(profile);
                    }
                    None => self.renew_id(account, &pending).await?,
                }
            }
            account.state = self.addresses.load(&account.hash).await?;
        }
        Err(IdentityError::Conflict)
    }

    /// Step 1; `false` if the address has changed since it was read.
    async fn claim_address(
        &self,
        account: &Account,
        pending: &Versioned<Pending>,
        code: &Versioned<Code>,
    ) -> Result<bool, IdentityError> {
        let user_id = pending.value.user_id;
        let read = account.state.claim.as_ref();
        if read.is_some_and(|claim| claim.value.user_id == user_id && claim.value.verified) {
            return Ok(true);
        }
        if let Some(claim) = read.filter(|claim| claim.value.verified)
            && !self.users.bury(claim.value.user_id).await?
        {
            // Somebody else proved the address first, and exists.
            return Err(IdentityError::NoPendingRegistration);
        }
        let claim = Claim { user_id, verified: true, claimed_at: self.now() };
        let change = AddressChange::new()
            .code_unused(code)
            .pending_unchanged(Some(pending))
            .claim_unchanged(read)
            .put_claim(&claim);
        Ok(self.addresses.commit(&account.hash, change).await?)
    }

    /// Steps 2 to 4; `None` if nobody may ever have this id.
    pub(super) async fn make_user(
        &self,
        (email, proved): (&EmailAddress, Proved),
        pending: &Pending,
    ) -> Result<Option<Profile>, IdentityError> {
        if let Some(made) = self.users.load(pending.user_id).await? {
            return Ok(Some(made.value));
        }
        let now = self.now();
        if let Some(name) = &pending.user_name
            && !self.claim_name(name, pending.user_id, now).await?
        {
            return Err(IdentityError::UserNameTaken);
        }
        let profile = Profile {
            id: pending.user_id,
            number: self.numbers.assign(pending.user_id).await?,
            email: email.clone(),
            verified: proved.address,
            user_name: pending.user_name.clone(),
            role: Role::default(),
            active: true,
            password: Some(pending.password.clone()),
            password_unproved: !proved.password,
            session_epoch: 0,
            created_at: now,
        };
        self.create(profile).await
    }

    /// Step 4: the user that there is now, which somebody else may have made from the same registration.
    pub(super) async fn create(&self, profile: Profile) -> Result<Option<Profile>, IdentityError> {
        match self.users.create(&profile).await? {
            Creation::Created => Ok(Some(profile)),
            Creation::Existed => Ok(self.users.load(profile.id).await?.map(|made| made.value)),
            Creation::Tombstoned => Ok(None),
        }
    }

    /// Step 5. The user exists, so nobody begins another registration in between.
    async fn clear_registration(&self, account: &Account) -> Result<(), IdentityError> {
        let codes = account.state.codes_for(Purpose::Registration);
        let change = AddressChange::new().delete_pending().delete_codes(codes);
        self.addresses.commit(&account.hash, change).await?;
        Ok(())
    }

    /// Goes on under another id after somebody buried the first.
    async fn renew_id(&self, account: &Account, pending: &Versioned<Pending>) -> Result<(), IdentityError> {
        let user_id = UserId::make(self.now(), &*self.random);
        let renewed = Pending { user_id, ..pending.value.clone() };
        let change = AddressChange::new().pending_unchanged(Some(pending)).put_pending(&renewed);
        self.addresses.commit(&account.hash, change).await?;
        Ok(())
    }

    /// Whether `name` belongs to a user who exists or is just being made.
    pub(super) async fn name_is_taken(&self, name: &UserName) -> Result<bool, IdentityError> {
        let Some(claim) = self.names.load(&self.index, name).await? else { return Ok(false) };
        if self.now() < claim.value.claimed_at.plus(NAME_CLAIM_GRACE) {
            return Ok(true);
        }
        Ok(self.users.load(claim.value.user_id).await?.is_some())
    }

    /// Step 2; `false` if the name is somebody else's.
    async fn claim_name(&self, name: &UserName, user: UserId, now: Timestamp) -> Result<bool, IdentityError> {
        let read = self.names.load(&self.index, name).await?;
        if let Some(claim) = &read {
            if claim.value.user_id == user {
                return Ok(true);
            }
            let fresh = now < claim.value.claimed_at.plus(NAME_CLAIM_GRACE);
            if fresh || !self.users.bury(claim.value.user_id).await? {
                return Ok(false);
            }
        }
        let claim = NameClaim { user_id: user, claimed_at: now };
        Ok(self.names.put((&self.index, name), read.as_ref(), &claim).await?)
    }
}

//! Principals and the permissions that roles give them.
//!
//! Permissions are types, so that a handler's signature says who may call it and nothing compiles
//! without saying so. A permission may also ask for a second factor: what hands out or spreads keys
//! does, whatever the caller's role.

use coffer_api::internal::LiveSession;
use coffer_api::{AddressHash, Amr, Role, SessionHash};
use coffer_core::UserId;

/// A user who has proved who they are, for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who it is.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
    /// The session they act in.
    pub session: SessionHash,
    /// Whether that session was opened with a second factor.
    pub second_factor: bool,
    /// Their verified address, blinded.
    pub address_hash: AddressHash,
}

impl From<&LiveSession> for Principal {
    fn from(session: &LiveSession) -> Self {
        Self {
            user_id: session.user_id,
            role: session.role,
            session: session.session,
            second_factor: session.amr.contains(&Amr::Otp),
            address_hash: session.address_hash,
        }
    }
}

/// Why a principal may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The role does not hold the permission.
    #[error("the role does not hold this permission")]
    Role,
    /// The session was opened without a second factor.
    #[error("this needs a session that was opened with a second factor")]
    SecondFactor,
}

/// Something that some principals may do.
pub trait Permission: 'static {
    /// The weakest role that holds it.
    const FROM: Role;
    /// Whether the session must have a second factor.
    const SECOND_FACTOR: bool;

    /// Whether `principal` may do it.
    fn check(principal: &Principal) -> Result<(), Refusal> {
        if principal.role < Self::FROM {
            return Err(Refusal::Role);
        }
        if Self::SECOND_FACTOR && !principal.second_factor {
            return Err(Refusal::SecondFactor);
        }
        Ok(())
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $role:ident $(, second factor $second:literal)?;)+) => {
        /// Every permission, as a type.
        pub mod permission {
            use super::{Permission, Role};
            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug)]
                pub enum $name {}

                impl Permission for $name {
                    const FROM: Role = Role::$role;
                    const SECOND_FACTOR: bool = false $(|| $second)?;
                }
            )+
        }
    };
}

permissions! {
    /// Store files, fetch and list them.
    UseFiles: Contractor;
    /// Make file keys and list them.
    ManageFileKeys: Contractor;
    /// Take private file keys out, or have them open something.
    OpenFileKeys: Contractor, second factor true;
    /// Give others access to one's files, and take it back.
    ShareFiles: Contractor, second factor true;
    /// See how everybody's keys are used.
    SeeAllUsage: Admin;
    /// See who the users are.
    SeeUsers: Supervisor;
    /// See and change other users.
    ManageUsers: Admin, second factor true;
    /// Read security events.
    ReadEvents: Admin;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, second_factor: bool) -> Principal {
        Principal {
            user_id: UserId::from_bytes([1; 16]),
            role,
            session: SessionHash::from_bytes([2; 32]),
            second_factor,
            address_hash: AddressHash::from_bytes([3; 32]),
        }
    }

    #[test]
    fn keys_open_only_with_a_second_factor_whatever_the_role() {
        let check = permission::OpenFileKeys::check;
        assert_eq!(check(&principal(Role::Admin, false)), Err(Refusal::SecondFactor));
        assert_eq!(check(&principal(Role::Contractor, true)), Ok(()));
    }

    #[test]
    fn only_administrators_manage_users() {
        let check = permission::ManageUsers::check;
        assert_eq!(check(&principal(Role::Supervisor, true)), Err(Refusal::Role));
        assert_eq!(check(&principal(Role::Admin, true)), Ok(()));
    }
}

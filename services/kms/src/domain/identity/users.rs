//! Users, as administrators see and change them.

use coffer_api::Role;
use coffer_api::internal::FeedEvent;
use coffer_core::{EmailAddress, UserId};

use super::codes::CONFLICTS_MAX;
use super::error::IdentityError;
use super::parts::Identity;
use crate::domain::events::{Action, Event, Origin};
use crate::repo::user::Profile;

/// Users that are looked through at a time.
const BATCH_USERS: usize = 500;

/// What an administrator changes; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// The new role.
    pub role: Option<Role>,
    /// Whether the user may log in.
    pub active: Option<bool>,
}

/// A page of users, by number.
#[derive(Clone, Debug, Default)]
pub struct UserPage {
    /// The users.
    pub items: Vec<Profile>,
    /// The last number that was looked at, if more may follow.
    pub next: Option<u64>,
}

impl Identity {
    /// The user with this id.
    pub async fn user(&self, user: UserId) -> Result<Option<Profile>, IdentityError> {
        Ok(self.users.load(user).await?.map(|user| user.value))
    }

    /// The user who proved this address.
    pub async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<Profile>, IdentityError> {
        let state = self.addresses.load(&self.blind(email)).await?;
        match state.claim.filter(|claim| claim.value.verified) {
            Some(claim) => self.user(claim.value.user_id).await,
            None => Ok(None),
        }
    }

    /// At most `limit` users with numbers after `after`.
    pub async fn list_users(&self, after: u64, limit: usize) -> Result<UserPage, IdentityError> {
        let numbers = self.numbers.after(after, limit).await?;
        let next = numbers.last().filter(|_| numbers.len() == limit).map(|(number, _)| *number);
        let mut items = Vec::with_capacity(numbers.len());
        for (number, id) in numbers {
            // A number without its user is left over from a crash.
            items.extend(self.user(id).await?.filter(|user| user.number == number));
        }
        Ok(UserPage { items, next })
    }

    /// Changes a user at an administrator's wish, in force at once.
    pub async fn administer(
        &self,
        (admin, id): (UserId, UserId),
        change: UserChange,
        origin: &Origin,
    ) -> Result<Profile, IdentityError> {
        let before = self.user(id).await?.ok_or(IdentityError::UserNotFound)?;
        let is_admin = |user: &Profile| user.active && user.role == Role::Admin;
        let wished = |now: &Profile| {
            let active = change.active.unwrap_or(now.active);
            // Who is shut out must log in anew when let in again.
            let session_epoch = now.session_epoch + u64::from(now.active && !active);
            Profile { role: change.role.unwrap_or(now.role), active, session_epoch, ..now.clone() }
        };
        if is_admin(&before) && !is_admin(&wished(&before)) && !self.has_admin_beside(id).await? {
            return Err(IdentityError::LastAdmin);
        }
        let after = self.change_user(id, wished).await?;
        for action in actions(&before, &after) {
            let event = Event::new(action).by_user(admin).to(id).from(origin);
            self.events.record(event).await?;
        }
        Ok(after)
    }

    /// Changes a user and tells the feed, until nobody else changed the user meanwhile.
    pub(super) async fn change_user(
        &self,
        id: UserId,
        change: impl Fn(&Profile) -> Profile,
    ) -> Result<Profile, IdentityError> {
        for _ in 0..CONFLICTS_MAX {
            let read = self.users.load(id).await?.ok_or(IdentityError::UserNotFound)?;
            let changed = change(&read.value);
            let update = async { Ok::<_, IdentityError>(self.users.update(&read, &changed).await?) };
            if self.feed.around(FeedEvent::UserChanged(id), update).await? {
                return Ok(changed);
            }
        }
        Err(IdentityError::Conflict)
    }

    async fn has_admin_beside(&self, id: UserId) -> Result<bool, IdentityError> {
        let mut after = Some(0);
        while let Some(number) = after {
            let page = self.list_users(number, BATCH_USERS).await?;
            if page.items.iter().any(|user| user.id != id && user.active && user.role == Role::Admin) {
                return Ok(true);
            }
            after = page.next;
        }
        Ok(false)
    }
}

fn actions(before: &Profile, after: &Profile) -> Vec<Action> {
    let mut actions = Vec::new();
    if before.role != after.role {
        actions.push(Action::RoleChanged { role: after.role });
    }
    match (before.active, after.active) {
        (true, false) => actions.push(Action::UserDeactivated),
        (false, true) => actions.push(Action::UserActivated),
        _ => {}
    }
    actions
}

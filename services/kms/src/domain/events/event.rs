//! One security event, as it is emitted and as it is kept.

use std::collections::BTreeMap;
use std::net::IpAddr;

use coffer_core::{EventId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Action;

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Somebody who has not proved who they are.
    #[default]
    Anonymous,
    /// A user.
    User(UserId),
    /// Another service, by its name.
    Service(String),
    /// Whoever runs the process: at start, by the clock, or on the command line.
    Operator,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's network address.
    pub address: Option<IpAddr>,
    /// The request, as in the logs.
    pub request_id: Option<String>,
}

/// A security event to be recorded.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub action: Action,
    /// Who did it.
    pub actor: Actor,
    /// To whom it happened, if that is another user than the actor.
    pub subject: Option<UserId>,
    /// Where it came from.
    pub origin: Origin,
}

impl Event {
    /// An event by nobody in particular, from nowhere.
    pub fn new(action: Action) -> Self {
        Self { action, actor: Actor::default(), subject: None, origin: Origin::default() }
    }

    /// Says who did it.
    #[must_use]
    pub fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// Says which user did it.
    #[must_use]
    pub fn by_user(self, user: UserId) -> Self {
        self.by(Actor::User(user))
    }

    /// Says to whom it happened.
    #[must_use]
    pub fn to(self, subject: UserId) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// Says where it came from.
    #[must_use]
    pub fn from(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }
}

/// A security event as it is kept. The action is flattened into texts, so that an older program reads
/// what a newer one wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// Its id; ids sort by time.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: String,
    /// Who did it.
    pub actor: Actor,
    /// To whom it happened, if that is another user.
    #[serde(default)]
    pub subject: Option<UserId>,
    /// The network address that it came from.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// The request, as in the logs.
    #[serde(default)]
    pub request_id: Option<String>,
    /// What else is known of it, by name.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
}

impl RecordedEvent {
    /// The event as it is kept from now on.
    pub fn of(event: Event, id: EventId, at: Timestamp) -> Self {
        let action = serde_json::to_value(&event.action).expect("actions are plain data");
        let mut details: BTreeMap<String, String> = match action {
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, text(value))).collect(),
            _ => unreachable!("an internally tagged enum is an object"),
        };
        let kind = details.remove("kind").expect("the tag is a field");
        let Origin { address, request_id } = event.origin;
        Self { id, at, kind, actor: event.actor, subject: event.subject, address, request_id, details }
    }

    /// Whether `user` did this or it happened to that user.
    pub fn concerns(&self, user: UserId) -> bool {
        self.actor == Actor::User(user) || self.subject == Some(user)
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) => items.into_iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use coffer_api::{Amr, SessionHash};
    use coffer_core::FileId;

    use super::super::KeyUse;
    use super::*;

    fn recorded(action: Action) -> RecordedEvent {
        RecordedEvent::of(Event::new(action), EventId::from_bytes([1; 16]), Timestamp::from_ms(0))
    }

    #[test]
    fn an_action_becomes_its_name_and_details() {
        let session = SessionHash::from_bytes([0xab; 32]);
        let amr = vec![Amr::Pwd, Amr::Otp];
        let event = recorded(Action::LoginSucceeded { session, amr });
        assert_eq!(event.kind, "login_succeeded");
        assert_eq!(event.details["amr"], "pwd otp");
        assert_eq!(event.details["session"], "ab".repeat(32));
        assert_eq!(recorded(Action::Registered).details, BTreeMap::new());
    }

    #[test]
    fn a_key_use_says_which_key() {
        let key = KeyUse { file: FileId::from_bytes([7; 16]), name: "a/b".parse().unwrap(), version: 3 };
        let event = recorded(Action::FileKeyUnwrapped { key, ciphertexts: 2 });
        assert_eq!((event.kind.as_str(), event.details.len()), ("file_key_unwrapped", 4));
        assert_eq!((event.details["version"].as_str(), event.details["ciphertexts"].as_str()), ("3", "2"));
    }

    #[test]
    fn an_event_concerns_who_did_it_and_whom_it_happened_to() {
        let [admin, user, other] = [1, 2, 3].map(|n| UserId::from_bytes([n; 16]));
        let event = Event::new(Action::UserDeactivated).by_user(admin).to(user);
        let event = RecordedEvent::of(event, EventId::from_bytes([1; 16]), Timestamp::from_ms(0));
        assert!(event.concerns(admin) && event.concerns(user) && !event.concerns(other));
    }
}

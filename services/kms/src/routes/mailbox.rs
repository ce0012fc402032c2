//! The development mailbox: only where the settings ask for it, and only on loopback.

use actix_web::web::{Data, Json};
use coffer_core::Timestamp;
use coffer_server::ValidQuery;
use serde::{Deserialize, Serialize};

use crate::domain::mail::DevMailbox;

/// GET with [`Wanted`]: letters, oldest first.
pub(super) const PATH: &str = "/dev/mailbox";

/// Which letters are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only letters to this address.
    to: Option<String>,
}

/// What is in the mailbox.
#[derive(Serialize)]
pub(super) struct Letters {
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Message {
    to: String,
    subject: String,
    text: String,
    received_at: Timestamp,
}

/// The letters that have arrived.
pub(super) async fn letters(wanted: ValidQuery<Wanted>, mailbox: Data<DevMailbox>) -> Json<Letters> {
    let is_wanted = |to: &str| wanted.to.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(to));
    let letters = mailbox.letters().into_iter().filter(|letter| is_wanted(&letter.to));
    let messages = letters.map(|letter| Message {
        to: letter.to,
        subject: letter.subject,
        text: letter.text,
        received_at: letter.received_at,
    });
    Json(Letters { messages: messages.collect() })
}

//! The development mailbox: only where the settings ask for it, and only on loopback.

use actix_web::web::{Data, Json};
use coffer_core::Timestamp;
use serde::Serialize;

use crate::domain::mail::DevMailbox;

/// GET: every letter, oldest first.
pub(super) const PATH: &str = "/dev/mailbox";

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

/// Every letter that has arrived.
pub(super) async fn letters(mailbox: Data<DevMailbox>) -> Json<Letters> {
    let messages = mailbox.letters().into_iter().map(|letter| Message {
        to: letter.to,
        subject: letter.subject,
        text: letter.text,
        received_at: letter.received_at,
    });
    Json(Letters { messages: messages.collect() })
}

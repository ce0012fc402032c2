//! What people read in their mail.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::{Http, SmtpServer, until_some};

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whom it is for.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its body.
    pub text: String,
}

impl Message {
    pub(crate) fn from_json(json: &Value) -> Self {
        let text =
            |field: &str| json[field].as_str().unwrap_or_else(|| panic!("{field} in {json}")).to_owned();
        Self { to: text("to"), subject: text("subject"), text: text("text") }
    }

    /// The code that it carries: what every client of the contract looks for.
    pub fn code(&self) -> Option<String> {
        let (_, rest) = self.text.split_once("Your verification code is: ")?;
        let code: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (code.len() == 6).then_some(code)
    }
}

/// Where a stack's mail goes.
#[derive(Clone, Debug)]
pub enum Mailbox {
    /// The development mailbox of `coffer-all`, by its URL.
    Development(String),
    /// An SMTP server.
    Smtp(Arc<SmtpServer>),
}

impl Mailbox {
    /// Every message to `address`, oldest first.
    pub async fn messages(&self, address: &str) -> Vec<Message> {
        let all = match self {
            Self::Development(url) => {
                let answer = Http::default().get(url).await.expect_status(200).json();
                let messages = answer["messages"].as_array().expect("a list of messages");
                messages.iter().map(Message::from_json).collect()
            }
            Self::Smtp(server) => server.messages(),
        };
        all.into_iter().filter(|message| message.to.eq_ignore_ascii_case(address)).collect()
    }

    /// Waits for a message to `address` beyond the first `seen`.
    pub async fn message_after(&self, address: &str, seen: usize) -> Message {
        until_some(&format!("message {} to {address}", seen + 1), Duration::from_secs(20), || async {
            self.messages(address).await.get(seen).cloned()
        })
        .await
    }

    /// Waits for a message to `address` beyond the first `seen` and returns its code.
    pub async fn code_after(&self, address: &str, seen: usize) -> String {
        let message = self.message_after(address, seen).await;
        message.code().unwrap_or_else(|| panic!("no code in {message:?}"))
    }
}

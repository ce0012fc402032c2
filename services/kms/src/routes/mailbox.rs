//! The development mailbox: only where the settings ask for it, and only on loopback. Programs read it as JSON, and
//! browsers as a page that looks again by itself.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use coffer_core::Timestamp;
use coffer_server::ValidQuery;
use coffer_server::page::{self, escaped};
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

const PAGE: &str = include_str!("mailbox.html");
/// Where the letters stand in the page.
const LETTERS: &str = "<!-- letters -->";
const NO_LETTERS: &str = "<p>No letter has arrived yet.</p>";

impl Message {
    fn html(&self) -> String {
        let [to, subject, text] = [&self.to, &self.subject, &self.text].map(|part| escaped(part));
        let at = self.received_at;
        format!(
            "<article><h2>{subject}</h2><p>to <b>{to}</b>, <time>{at}</time></p><pre>{text}</pre></article>\n"
        )
    }
}

impl Letters {
    /// The latest first: that is the one somebody waits for.
    fn html(&self) -> String {
        let letters: String = self.messages.iter().rev().map(Message::html).collect();
        PAGE.replace(LETTERS, if letters.is_empty() { NO_LETTERS } else { &letters })
    }
}

/// The letters that have arrived.
pub(super) async fn letters(
    request: HttpRequest,
    wanted: ValidQuery<Wanted>,
    mailbox: Data<DevMailbox>,
) -> HttpResponse {
    let is_wanted = |to: &str| wanted.to.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(to));
    let letters = mailbox.letters().into_iter().filter(|letter| is_wanted(&letter.to));
    let messages = letters.map(|letter| Message {
        to: letter.to,
        subject: letter.subject,
        text: letter.text,
        received_at: letter.received_at,
    });
    let letters = Letters { messages: messages.collect() };
    let wants_page = page::is_wanted(request.headers());
    page::varies(if wants_page { page::html(letters.html()) } else { HttpResponse::Ok().json(letters) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_latest_letter_first_and_takes_none_for_tags() {
        let letter = |to: &str, text: &str| Message {
            to: to.to_owned(),
            subject: "A code".to_owned(),
            text: text.to_owned(),
            received_at: Timestamp::from_ms(0),
        };
        let messages = vec![letter("<ann>@example.com", "111111"), letter("bob@example.com", "222222 & <b>")];
        let page = Letters { messages }.html();
        let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
        assert!(place("222222 &amp; &lt;b&gt;") < place("&lt;ann&gt;@example.com"), "{page}");
        assert!(!page.contains("<ann>") && !page.contains("<b></pre>") && !page.contains(LETTERS));
        assert!(Letters { messages: Vec::new() }.html().contains(NO_LETTERS));
    }
}

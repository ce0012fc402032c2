//! The development mailbox: only where the settings ask for it, and only on loopback. Programs read it as JSON, and
//! browsers as a page that looks again by itself.

use std::net::IpAddr;

use actix_web::http::header;
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

/// Whether a request names this machine itself. A page of a stranger, whose name he lets lead to loopback, would be of one
/// origin with the mailbox for the browser that shows it; its requests name the stranger's host.
fn is_for_loopback(request: &HttpRequest) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The letters that have arrived.
pub(super) async fn letters(
    request: HttpRequest,
    wanted: ValidQuery<Wanted>,
    mailbox: Data<DevMailbox>,
) -> HttpResponse {
    if !is_for_loopback(&request) {
        return HttpResponse::MisdirectedRequest().finish();
    }
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
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_name_that_somebody_else_gave_this_machine_does_not_lead_to_the_mailbox() {
        let is_let_in = |host: &str| {
            is_for_loopback(&TestRequest::default().insert_header((header::HOST, host)).to_http_request())
        };
        for host in ["127.0.0.1:3001", "127.0.0.1", "localhost:3001", "LOCALHOST", "[::1]:3001", "[::1]"] {
            assert!(is_let_in(host), "{host}");
        }
        for host in ["mail.example.com", "localhost.example.com:3001", "192.0.2.1:3001", "[2001:db8::1]", ""]
        {
            assert!(!is_let_in(host), "{host}");
        }
    }

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

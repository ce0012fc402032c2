use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{filter, lines};
use crate::settings::LogFormat;

#[derive(Debug, thiserror::Error)]
#[error("delivering a letter")]
struct NotDelivered(#[source] NotTalking);

#[derive(Debug, thiserror::Error)]
#[error("talking to \"the\" mail server")]
struct NotTalking(#[source] io::Error);

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What `log` writes as JSON: one object a line.
fn logged(log: impl FnOnce()) -> Vec<Value> {
    let written = Written::default();
    let subscriber = tracing_subscriber::registry().with(lines(LogFormat::Json, written.clone(), true));
    tracing::subscriber::with_default(subscriber, log);
    let bytes = written.0.lock().expect("nobody panics with it").clone();
    let text = String::from_utf8(bytes).expect("it is text");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_line_for_machines_has_an_error_with_all_that_it_came_from() {
    let error = NotDelivered(NotTalking(io::Error::other("Connection refused")));
    let lines = logged(|| {
        tracing::warn!(error = &error as &dyn Error, attempts = 3, permanent = false, "a letter\nis late");
        tracing::info!(cause = %"planted", kind = ?"one", "second");
    });
    assert_eq!(lines.len(), 2);
    let first = &lines[0];
    assert_eq!(
        first["error"],
        json!("delivering a letter: talking to \"the\" mail server: Connection refused")
    );
    assert_eq!((&first["attempts"], &first["permanent"]), (&json!(3), &json!(false)));
    assert_eq!((&first["level"], &first["message"]), (&json!("WARN"), &json!("a letter\nis late")));
    assert_eq!(first["target"], json!(module_path!()));
    assert!(first["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
    assert_eq!((&lines[1]["cause"], &lines[1]["kind"]), (&json!("planted"), &json!("\"one\"")));
}

#[test]
fn a_level_is_one_that_there_is_or_a_filter() {
    for good in ["info", "WARN", "off", "info,coffer_kms=debug", "coffer_kms=trace, error"] {
        assert!(filter(good).is_ok(), "{good}");
    }
    for bad in ["bogus", "info,bogus", "coffer_kms=bogus", "infoo"] {
        assert!(filter(bad).is_err(), "{bad}");
    }
}

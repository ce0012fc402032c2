//! Log lines for machines: one JSON object for each event, and every error with all that it came from.
//!
//! Road not taken: the library's own JSON. It writes of an error what the outermost one says: "delivering a letter", and not
//! that the mail server refused the connection. Spans are not written, as Coffer opens none.

use std::error::Error;
use std::fmt::{self, Debug};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::failure::Chain;

/// Writes events as `{"timestamp":…,"level":…,"message":…,"target":…}` with the event's own fields between.
pub(crate) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let metadata = event.metadata();
        let mut line = Line(String::new());
        line.add("timestamp", &timestamp);
        line.add("level", metadata.level().as_str());
        event.record(&mut line);
        line.add("target", metadata.target());
        writeln!(writer, "{{{}}}", line.0)
    }
}

/// The inside of an object.
struct Line(String);

impl Line {
    fn add(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        // Texts, numbers and booleans always have a form in JSON.
        let (Ok(name), Ok(value)) = (serde_json::to_string(name), serde_json::to_string(value)) else {
            return;
        };
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&name);
        self.0.push(':');
        self.0.push_str(&value);
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add(field.name(), &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field.name(), &Chain(value).to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), &format!("{value:?}"));
    }
}

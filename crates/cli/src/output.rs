//! What people and programs read: results on standard output, everything else on standard error.
//!
//! With `--json` standard output holds exactly one JSON document (`coffer kv watch`: one on each line), and a failure is
//! one JSON line on standard error. Names that others chose are shown with control characters escaped, so that a file's
//! name cannot move the cursor or recolour a terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use coffer_core::Timestamp;
use serde::Serialize;

/// How much is said, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// One JSON document instead of text.
    pub(crate) json: bool,
    /// No notes and no progress, only results and errors.
    pub(crate) quiet: bool,
}

impl Output {
    /// Writes the result: `value` as JSON, or the text that `text` makes. An empty text writes nothing.
    pub(crate) fn result<T: Serialize + ?Sized>(
        self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, value)?;
            return out.write_all(b"\n").and_then(|()| out.flush());
        }
        let text = text();
        out.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Tells a person how things go. Nobody may depend on it, so a closed standard error is no error.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet && !self.json {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Warns of something that the person should change.
    pub(crate) fn warn(self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "warning: {text}");
        }
    }

    /// Whether a progress bar would be seen and would disturb nobody.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && !self.json && io::stderr().is_terminal()
    }
}

/// The text with everything escaped that a terminal would obey, or that reorders what is seen.
pub(crate) fn printable(text: &str) -> String {
    let reorders =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if c.is_control() || reorders(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Rows under headings, in columns as wide as their widest cell. Cells are made printable.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut text = String::new();
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    for row in std::iter::once(&headings).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names and what they stand for, one a line, in two columns. What they stand for is made printable.
pub(crate) fn fields(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("{name:<width$}  {}", printable(value));
    rows.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// A number of bytes for people: `512 B`, `1.5 KiB`, `40.0 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A moment for people, to the minute: `2026-01-31 12:00 UTC`. Programs read RFC 3339 in JSON.
pub(crate) fn when(moment: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(moment.as_ms()) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => moment.to_string(),
    }
}

/// An end for people; `-` where there is none.
pub(crate) fn until(end: Option<Timestamp>) -> String {
    end.map_or_else(|| "-".into(), when)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(printable("txt\u{202e}exe"), "txt\\u{202e}exe");
        assert_eq!(printable("報告 2026.bin"), "報告 2026.bin");
    }

    #[test]
    fn columns_line_up_and_rows_do_not_end_in_spaces() {
        let text = table(
            &["NAME", "SIZE"],
            &[vec!["longer-name".into(), "1".into()], vec!["a".into(), String::new()]],
        );
        assert_eq!(text, "NAME         SIZE\nlonger-name  1\na\n");
    }

    #[test]
    fn a_moment_is_shown_to_the_minute() {
        assert_eq!(when(Timestamp::from_ms(1_700_000_000_123)), "2023-11-14 22:13 UTC");
    }
}

//! A progress bar on standard error, when somebody is there to see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coffer_client::Report;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{Output, printable};

/// The progress of one transfer.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar named `name`; invisible where it would disturb.
    pub(crate) fn of(output: Output, name: &str) -> Self {
        let target =
            if output.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style =
            ProgressStyle::with_template("{msg}  {bar:30} {bytes}/{total_bytes}  {binary_bytes_per_sec}");
        bar.set_style(style.expect("the template is valid"));
        bar.set_message(printable(name));
        Self(bar)
    }

    /// A bar for many files with so many bytes together.
    pub(crate) fn of_many(output: Output, name: &str, bytes: u64) -> Self {
        let progress = Self::of(output, name);
        let style = ProgressStyle::with_template(
            "{msg}  {bar:30} {bytes}/{total_bytes}  {binary_bytes_per_sec}  {eta} left",
        );
        progress.0.set_style(style.expect("the template is valid"));
        progress.0.set_length(bytes);
        progress
    }

    /// So many bytes more of one of many files.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// What one of many transfers tells how far it is.
    pub(crate) fn part(&self) -> Report {
        let (bar, before) = (self.0.clone(), AtomicU64::new(0));
        Arc::new(move |done, _| bar.inc(done.saturating_sub(before.swap(done, Ordering::Relaxed))))
    }

    /// What the transfer tells how far it is.
    pub(crate) fn report(&self) -> Report {
        let bar = self.0.clone();
        Arc::new(move |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_template_is_valid() {
        let progress = Progress::of(Output { json: true, quiet: true }, "a\u{1b}b");
        progress.report()(1, 2);
        assert_eq!((progress.0.position(), progress.0.length()), (1, Some(2)));
        progress.finish();
        let many = Progress::of_many(Output { json: true, quiet: true }, "a", 10);
        many.add(3);
        let part = many.part();
        part(2, 5);
        part(5, 5);
        assert_eq!((many.0.position(), many.0.length()), (8, Some(10)));
    }
}

//! A progress bar on standard error, when somebody is there to see it.

use std::sync::Arc;

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
    }
}

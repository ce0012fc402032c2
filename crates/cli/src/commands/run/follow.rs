//! Notices that the configuration has changed, and reads it anew.
//!
//! Changes come in bursts, so it is read once there was silence for a moment, and at the latest after a while. Only what
//! differs is told: a change of another category restarts nothing. While the configuration cannot be read, or cannot be
//! variables, the program goes on with what it has.

use std::sync::Arc;
use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_api::configs::ConfigWatchQuery;
use coffer_client::{ConfigWatch, ConfigsClient};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::fetch::{Wanted, fetch};
use super::variables::Variables;
use crate::error::CliError;
use crate::output::Output;

/// The silence after a change, and the longest wait for it.
const QUIET: Duration = Duration::from_millis(500);
const QUIET_AT_LATEST: Duration = Duration::from_secs(5);
/// The pause after the configuration could not be read.
const AGAIN: Duration = Duration::from_secs(5);

fn query(wanted: &Wanted) -> ConfigWatchQuery {
    ConfigWatchQuery { environment: Some(wanted.environment.clone()), ..ConfigWatchQuery::default() }
}

/// Begins to watch.
pub(super) async fn open(configs: &ConfigsClient, wanted: &Wanted) -> Result<ConfigWatch, CliError> {
    configs.watch(query(wanted)).await.map_err(|err| CliError::of_config(&wanted.environment, err))
}

/// Follows changes in the background; what comes out are variables that differ from the last ones.
pub(super) fn start(
    watch: ConfigWatch,
    (configs, wanted): (ConfigsClient, Wanted),
    last: Variables,
    output: Output,
) -> mpsc::Receiver<Variables> {
    let (sender, receiver) = mpsc::channel(1);
    let changed = Arc::new(Notify::new());
    let (configs, wanted) = (Arc::new(configs), Arc::new(wanted));
    let notify = Arc::clone(&changed);
    let of_watch = (Arc::clone(&configs), Arc::clone(&wanted));
    tokio::spawn(async move { listen(watch, of_watch, &notify, output).await });
    tokio::spawn(async move {
        let mut last = last;
        loop {
            changed.notified().await;
            settle(&changed).await;
            let now = read(&configs, &wanted, output).await;
            if !now.are(&last) {
                last = now.clone();
                if sender.send(now).await.is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

/// Tells of every change, until the watch is refused for good.
async fn listen(
    mut watch: ConfigWatch,
    (configs, wanted): (Arc<ConfigsClient>, Arc<Wanted>),
    changed: &Notify,
    output: Output,
) {
    loop {
        let ended = match watch.next().await {
            Ok(_) => {
                changed.notify_one();
                continue;
            }
            // We were away for longer than changes are kept: what there is now is read anew.
            Err(error) if error.code() == Some(ErrorCode::ChangesGone) => {
                let again = configs.watch(query(&wanted)).await;
                changed.notify_one();
                again
            }
            Err(error) => Err(error),
        };
        match ended {
            Ok(again) => watch = again,
            Err(error) => {
                output.warn(&format!("changes are not noticed any more: {error}"));
                return;
            }
        }
    }
}

/// Waits until nothing has changed for a moment, or for long enough.
async fn settle(changed: &Notify) {
    let latest = sleep(QUIET_AT_LATEST);
    tokio::pin!(latest);
    loop {
        tokio::select! {
            () = changed.notified() => {}
            () = sleep(QUIET) => return,
            () = &mut latest => return,
        }
    }
}

/// Reads the configuration, as often as it takes.
async fn read(configs: &ConfigsClient, wanted: &Wanted, output: Output) -> Variables {
    loop {
        match fetch(configs, wanted).await {
            Ok(variables) => return variables,
            Err(error) => output.warn(&format!(
                "the changed configuration cannot be used, and the program goes on with the one it has: {error}"
            )),
        }
        sleep(AGAIN).await;
    }
}

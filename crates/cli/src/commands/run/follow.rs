//! Notices that the configuration has changed, or what it refers to, and reads it anew.
//!
//! Changes come in bursts, so it is read once there was silence for a moment, and at the latest after a while. Only what
//! differs is told: a change of another category restarts nothing. While the configuration cannot be read, or cannot be
//! variables, the program goes on with what it has. It does so as well when nothing is found where there was something:
//! that is what a user key finds that opens nothing any more, and a program without its configuration is worse than one
//! with the last that was known. Once changes are refused for good, nothing is read any more either: whoever has the old
//! user key could store under it what the program would get.
//!
//! A reference may lead to any environment, and from there to the next, so all of them are watched; as long as nothing
//! refers to anything, changes elsewhere are passed over and nothing is read for them. The road not taken is to follow
//! every single reference: which ones there are is the gateway's knowledge, and it changes with what they lead to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_api::ErrorCode;
use coffer_api::configs::{ConfigChange, ConfigWatchQuery};
use coffer_client::{ConfigWatch, ConfigsClient, Watched};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::fetch::{Fetched, Wanted, fetch};
use super::variables::Variables;
use crate::error::CliError;
use crate::output::{Output, printable};
use crate::report;

/// The silence after a change, and the longest wait for it.
const QUIET: Duration = Duration::from_millis(500);
const QUIET_AT_LATEST: Duration = Duration::from_secs(5);
/// The pause after the configuration could not be read, unless something changes before.
const AGAIN: Duration = Duration::from_secs(5);

/// Begins to watch.
pub(super) async fn open(configs: &ConfigsClient, wanted: &Wanted) -> Result<ConfigWatch, CliError> {
    let watch = configs.watch(ConfigWatchQuery::default()).await;
    watch.map_err(|err| CliError::of_config(&wanted.environment, err))
}

/// What is followed.
struct Followed {
    configs: ConfigsClient,
    wanted: Wanted,
    output: Output,
    /// Something has changed since it was read.
    changed: Notify,
    /// Whether changes in other environments matter, as far as is known.
    refers: AtomicBool,
}

/// Follows changes in the background; what comes out are variables that differ from the last ones.
pub(super) fn start(
    watch: ConfigWatch,
    (configs, wanted): (ConfigsClient, Wanted),
    read: Fetched,
    output: Output,
) -> mpsc::Receiver<Variables> {
    let (sender, receiver) = mpsc::channel(1);
    let Fetched { variables: last, refers, .. } = read;
    let (changed, refers) = (Notify::new(), AtomicBool::new(refers));
    let followed = Followed { configs, wanted, output, changed, refers };
    tokio::spawn(async move {
        tokio::select! {
            () = followed.listen(watch) => {}
            () = followed.tell(last, sender) => {}
        }
    });
    receiver
}

impl Followed {
    /// Tells variables that differ from the last ones, as long as somebody is there to hear it.
    async fn tell(&self, mut last: Variables, sender: mpsc::Sender<Variables>) {
        loop {
            self.changed.notified().await;
            let now = self.read(&last).await;
            if !now.are(&last) {
                last = now.clone();
                if sender.send(now).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Notes every change that matters, until the watch is refused for good.
    async fn listen(&self, mut watch: ConfigWatch) {
        loop {
            let ended = match watch.next().await {
                Ok(told) => {
                    if self.matters(&told) {
                        self.changed.notify_one();
                    }
                    continue;
                }
                // We were away for longer than changes are kept: what there is now is read anew.
                Err(error) if error.code() == Some(ErrorCode::ChangesGone) => {
                    let again = self.configs.watch(ConfigWatchQuery::default()).await;
                    self.changed.notify_one();
                    again
                }
                Err(error) => Err(error),
            };
            match ended {
                Ok(again) => watch = again,
                Err(error) => {
                    let why = printable(&error.to_string());
                    self.output.warn(&format!(
                        "changes are not noticed any more, and the program goes on with what it has: {why}"
                    ));
                    return;
                }
            }
        }
    }

    fn matters(&self, told: &Watched<ConfigChange>) -> bool {
        match told {
            Watched::Change(change) => {
                let ours = |environment: &str| environment == self.wanted.environment;
                self.refers.load(Ordering::SeqCst) || change.changes.iter().any(|one| ours(&one.environment))
            }
            Watched::Resumed => true,
        }
    }

    /// Reads the configuration, as often as it takes.
    async fn read(&self, last: &Variables) -> Variables {
        let mut said = None;
        loop {
            self.settle().await;
            // Before it is read: what changes elsewhere meanwhile may be what it refers to.
            self.refers.store(true, Ordering::SeqCst);
            let (why, again) = match fetch(&self.configs, &self.wanted).await {
                Ok(Fetched { variables, refers, found }) if found || last.count() == 0 => {
                    self.refers.store(refers, Ordering::SeqCst);
                    if said.is_some() && variables.are(last) {
                        self.output.note("The configuration can be used again, and is what the program has.");
                    }
                    return variables;
                }
                // Only a change makes it another, and that is told.
                Ok(_) => (self.nothing(), false),
                Err(error) => (report::message(&error), true),
            };
            if said.as_ref() != Some(&why) {
                self.output.warn(&format!(
                    "the changed configuration cannot be used, and the program goes on with the one it has: {why}"
                ));
            }
            said = Some(why);
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep(AGAIN), if again => {}
            }
        }
    }

    fn nothing(&self) -> String {
        format!("nothing is in {} any more under this user key", printable(&self.wanted.environment))
    }

    /// Waits until nothing has changed for a moment, or for long enough.
    async fn settle(&self) {
        let latest = sleep(QUIET_AT_LATEST);
        tokio::pin!(latest);
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep(QUIET) => return,
                () = &mut latest => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use coffer_api::configs::{ConfigChangeKind, ConfigChanged};
    use coffer_core::{SecretString, Timestamp};

    use super::*;

    fn changed(environments: &[&str]) -> Watched<ConfigChange> {
        let one = |environment: &&str| ConfigChanged {
            key: "k".into(),
            environment: (*environment).into(),
            category: None,
            op: ConfigChangeKind::Updated,
            version: 2,
        };
        let changes = environments.iter().map(one).collect();
        Watched::Change(ConfigChange { revision: 1, at: Timestamp::from_ms(0), changes })
    }

    #[test]
    fn changes_elsewhere_matter_as_long_as_something_may_refer_to_them() {
        let key = Arc::new(SecretString::from("a user key"));
        let followed = Followed {
            configs: ConfigsClient::new("http://127.0.0.1:1", key, None).unwrap(),
            wanted: Wanted { environment: "production".into(), categories: Vec::new(), replace: false },
            output: Output { json: false, quiet: true },
            changed: Notify::new(),
            refers: AtomicBool::new(false),
        };
        assert!(!followed.matters(&changed(&["staging", "default"])));
        assert!(followed.matters(&changed(&["staging", "production"])));
        assert!(followed.matters(&Watched::Resumed));
        followed.refers.store(true, Ordering::SeqCst);
        assert!(followed.matters(&changed(&["staging"])));
    }
}

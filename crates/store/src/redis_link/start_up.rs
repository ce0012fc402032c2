//! Whether the server keeps what it promises, asked once: at start, or when it is there at last.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::{RedisError, pipe};
use tokio::time::{Instant, sleep};

use super::{Inner, LinkError, Links, RedisSettings};
use crate::records::StoreError;

const ASKED: [&str; 4] = ["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"];

/// A server that starts with us, or still loads its file, is given this long.
const PATIENCE: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How often one that was not there by then is asked again.
const WAIT_PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn check(links: &Links, settings: &RedisSettings) -> Result<(), StoreError> {
    if !settings.check_durability {
        tracing::warn!("the Redis server's durability is not checked: what it answered may not be on disk");
    }
    let limit = Instant::now() + PATIENCE;
    loop {
        match check_once(links, settings).await {
            Err(StoreError::Unavailable { .. }) if Instant::now() < limit => sleep(RETRY_PAUSE).await,
            done => return done,
        }
    }
}

/// Whether there is a server, which does not prove that it is the right one: its certificate is none that is known. Time
/// does not mend that.
pub(super) fn is_stranger(error: &StoreError) -> bool {
    let StoreError::Unavailable { source, .. } = error else { return false };
    let redis = source.downcast_ref::<RedisError>().and_then(Error::source);
    let cause = redis.and_then(|cause| cause.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let io = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// Waits for a server that was away at the start. One that is found to keep less than it should is not used, and asked
/// again: whoever put it there may set it right.
pub(super) async fn wait(links: Weak<Inner>, settings: RedisSettings) {
    let mut told = false;
    loop {
        sleep(WAIT_PAUSE).await;
        let Some(inner) = links.upgrade() else { return };
        match check_once(&Links(Arc::clone(&inner)), &settings).await {
            Ok(()) => {
                inner.is_checked.store(true, Ordering::Release);
                return tracing::info!("the Redis server is there");
            }
            Err(StoreError::Unavailable { .. }) => {}
            Err(error) if !told => {
                tracing::error!(error = &error as &dyn std::error::Error, "the Redis server is not used");
                told = true;
            }
            Err(_) => {}
        }
    }
}

async fn check_once(links: &Links, settings: &RedisSettings) -> Result<(), StoreError> {
    const DOING: &str = "checking the Redis server";
    if !settings.check_durability {
        return links.link().send(&redis::cmd("PING")).await.map(drop).map_err(|err| err.of_read(DOING));
    }
    let mut questions = pipe();
    for name in ASKED {
        questions.cmd("CONFIG").arg("GET").arg(name);
    }
    let answers: Vec<HashMap<String, String>> = match links.link().send_all(&questions).await {
        Ok(answers) => answers,
        Err(err) if err.is_denied() => {
            let text = "the Redis server refuses the user name or password of the URL".to_owned();
            return Err(StoreError::Settings(text));
        }
        Err(LinkError::Refused(err)) if err.code() != Some("LOADING") => {
            return Err(StoreError::Settings(format!(
                "the Redis server does not tell its settings ({}). Allow CONFIG GET, or, if you know that it \
                 keeps every write, add `durability=unchecked` to the URL",
                err.code().unwrap_or("refused")
            )));
        }
        Err(err) => return Err(err.of_read(DOING)),
    };
    let values: HashMap<_, _> = answers.into_iter().flatten().collect();
    let wrong = mistakes(|name| values.get(name).map_or("", String::as_str), settings.require_sync);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(StoreError::Settings(format!(
        "the Redis server would lose what it promised to keep. Set {} (`CONFIG SET …` and in redis.conf), or add \
         `durability=unchecked` to the URL to do without",
        wrong.join(", ")
    )))
}

/// What must be set otherwise.
fn mistakes<'a>(value: impl Fn(&str) -> &'a str, require_sync: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |name: &str, holds: bool, should: &str| {
        if !holds {
            wrong.push(format!("`{name} {should}` (it is `{}`)", value(name)));
        }
    };
    expect("appendonly", value("appendonly") == "yes", "yes");
    let synced = value("appendfsync") == "always" || !require_sync && value("appendfsync") == "everysec";
    expect("appendfsync", synced, "always");
    // Else nothing is synced for as long as the file is rewritten, which may take minutes.
    expect("no-appendfsync-on-rewrite", value("no-appendfsync-on-rewrite") != "yes", "no");
    expect("maxmemory-policy", value("maxmemory-policy") == "noeviction", "noeviction");
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lose_an_answered_write_is_named() {
        let good = [("appendonly", "yes"), ("appendfsync", "everysec"), ("maxmemory-policy", "noeviction")];
        let asked = |changed: (&'static str, &'static str), require_sync| {
            let value = move |name: &str| {
                let of = |(known, value): &(&str, &'static str)| (*known == name).then_some(*value);
                of(&changed).or_else(|| good.iter().find_map(of)).unwrap_or("")
            };
            mistakes(value, require_sync).len()
        };
        assert_eq!(asked(("", ""), false), 0);
        assert_eq!(asked(("", ""), true), 1, "every second is not every write");
        assert_eq!(asked(("appendfsync", "always"), true), 0);
        for wrong in [
            ("appendonly", "no"),
            ("appendfsync", "no"),
            ("no-appendfsync-on-rewrite", "yes"),
            ("maxmemory-policy", "allkeys-lru"),
        ] {
            assert_eq!(asked(wrong, false), 1, "{wrong:?}");
        }
    }
}

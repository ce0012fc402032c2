//! The back end that a storage URL names.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use coffer_core::Clock;
use percent_encoding::percent_decode_str;
use url::Url;

use super::{MemoryRecords, Records, RedisRecords, SqliteRecords, StoreError};
use crate::redis_link::RedisSettings;

/// Opens the record store that `url` names: `memory:`, `sqlite:///path`, `redis://` or `rediss://`.
///
/// The Redis URLs are `redis://[[user]:password@]host[:port][/database]` and take options:
/// - `prefix=NAME`: what every key begins with (default `coffer`);
/// - `wait_replicas=N`: answer a commit when N replicas have confirmed it;
/// - `durability=unchecked`: do not refuse a server that may lose what it answered;
/// - `tls_ca=FILE`: the authority (PEM) that signed the certificate of a `rediss://` server.
///
/// What is wrong with the settings is said without repeating the URL, which may hold a password. A Redis server that does
/// not answer is no reason not to open: it is waited for in the background, and until it is there everything is
/// [`StoreError::Unavailable`].
pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<dyn Records>, StoreError> {
    open_with(url, clock, RedisSettings::parse).await
}

/// As [`open`], for records that must be on disk when a commit is answered: a Redis server with any other
/// `appendfsync` than `always` is refused. SQLite syncs every commit anyway; what `memory:` keeps is lost
/// with the process. A server that does not answer within a few seconds is an error here.
pub async fn open_synced(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<dyn Records>, StoreError> {
    open_with(url, clock, |url| RedisSettings::parse(url).map(RedisSettings::synced)).await
}

async fn open_with(
    url: &str,
    clock: Arc<dyn Clock>,
    redis: impl FnOnce(Url) -> Result<RedisSettings, StoreError>,
) -> Result<Arc<dyn Records>, StoreError> {
    let url = parse(url)?;
    match url.scheme() {
        "memory" => Ok(Arc::new(MemoryRecords::new(clock))),
        "sqlite" => Ok(Arc::new(SqliteRecords::open(&file_path(&url)?, clock)?)),
        "redis" | "rediss" => Ok(Arc::new(RedisRecords::open(redis(url)?, clock).await?)),
        other => Err(StoreError::Settings(format!(
            "records cannot be kept in `{other}:`; use memory:, sqlite:///path, redis:// or rediss://"
        ))),
    }
}

pub(crate) fn parse(url: &str) -> Result<Url, StoreError> {
    let parsed = Url::parse(url).map_err(|err| StoreError::Settings(format!("not a storage URL: {err}")))?;
    // `file:name` would be taken for `file:///name`.
    if parsed.scheme() == "file" && !url.starts_with("file:///") {
        return Err(absolute("file"));
    }
    Ok(parsed)
}

/// The absolute path of a URL that names a file or folder of this machine.
pub(crate) fn file_path(url: &Url) -> Result<PathBuf, StoreError> {
    let (scheme, path) = (url.scheme(), url.path());
    if url.host_str().is_some_and(|host| !host.is_empty()) || !path.starts_with('/') || path == "/" {
        return Err(absolute(scheme));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(StoreError::Settings(format!("{scheme}:///path takes no options")));
    }
    Ok(PathBuf::from(OsString::from_vec(percent_decode_str(path).collect())))
}

fn absolute(scheme: &str) -> StoreError {
    StoreError::Settings(format!("write {scheme}:///path, with an absolute path"))
}

#[cfg(test)]
mod tests {
    use coffer_core::SystemClock;

    use super::*;

    #[test]
    fn a_path_is_taken_from_the_url_as_it_is_written() {
        let path = |text| file_path(&parse(text).unwrap());
        assert_eq!(path("sqlite:///var/lib/coffer/kms.db").unwrap(), PathBuf::from("/var/lib/coffer/kms.db"));
        assert_eq!(path("sqlite:///a%20b/%E5%A0%B1.db").unwrap(), PathBuf::from("/a b/報.db"));
        for wrong in ["sqlite://host/path", "sqlite:relative.db", "sqlite:", "sqlite:///", "sqlite:///a?x=1"]
        {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_mistake_is_explained_and_no_password_repeated() {
        for wrong in
            ["", "hunter2", "mysql://ann:hunter2@host/", "sqlite://ann:hunter2@host/x", "redis:hunter2"]
        {
            let err = open(wrong, Arc::new(SystemClock)).await.unwrap_err();
            let text = format!("{err} {err:?}");
            assert!(matches!(err, StoreError::Settings(_)) && !text.contains("hunter2"), "{text}");
        }
    }
}

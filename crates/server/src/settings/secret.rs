//! Secrets in settings: each may be a value or the path of a file that holds it.

use std::fmt;
use std::fs::Metadata;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use coffer_core::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

/// Longest secret that is read from a file.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Why a secret could not be had. The secret itself is in no message.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Value and file are both given.
    #[error("`{name}` and `{name}_file` are both set: keep one of them")]
    Both {
        /// The setting.
        name: String,
    },
    /// The file cannot be read.
    #[error("reading the secret file {} of `{name}_file`", path.display())]
    Read {
        /// The setting.
        name: String,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// Others could change the file.
    #[error("the secret file {} of `{name}_file` can be written by other users (mode {mode:o}): run `chmod 600` on it", path.display())]
    Writable {
        /// The setting.
        name: String,
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is no secret text.
    #[error("the secret file {} of `{name}_file` must hold UTF-8 text, not empty, of at most {SECRET_BYTES_MAX} bytes", path.display())]
    Form {
        /// The setting.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

/// The secret of the setting `name`, from its value or its file; `None` if neither is set. The line break
/// that editors put at the end of a file is not part of the secret.
///
/// A file that others can write is refused, for they could put their own secret there. One that others
/// can read only makes a warning: container tools mount secrets so, where no other user exists.
pub fn read_secret(
    name: &str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, SecretError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(SecretError::Both { name: name.to_owned() }),
        (Some(value), None) => Ok(Some(SecretString::from(value.expose_secret()))),
        (None, Some(path)) => read_file(name, path).map(Some),
        (None, None) => Ok(None),
    }
}

/// Refuses a file that others can write and warns of one that they can read.
pub(crate) fn check_mode(setting: &str, path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(SecretError::Writable { name: setting.to_owned(), path: path.to_owned(), mode });
    }
    warn_of_readers(path, metadata);
    Ok(())
}

/// Warns of a secret file that other users can read, if it is ours. One that is not, as containers are given them, is read
/// because others may.
fn warn_of_readers(path: &Path, metadata: &Metadata) {
    let mode = metadata.permissions().mode() & 0o777;
    // What the kernel shows of a process belongs to its effective user.
    let is_ours = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == metadata.uid());
    if mode & 0o044 != 0 && is_ours {
        tracing::warn!(path = %path.display(), mode = format!("{mode:o}"), "secret file can be read by other users");
    }
}

fn read_file(setting: &str, path: &Path) -> Result<SecretString, SecretError> {
    let name = || setting.to_owned();
    let read_error = |source| SecretError::Read { name: name(), path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read_error)?;
    let metadata = file.metadata().map_err(read_error)?;
    check_mode(setting, path, &metadata)?;
    // Room for everything at once: a buffer that grows leaves copies of the secret behind.
    let mut text =
        String::with_capacity(usize::try_from(metadata.len().min(SECRET_BYTES_MAX)).unwrap_or(0) + 1);
    let read = file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text);
    let secret = SecretString::from(text);
    let form_error = || SecretError::Form { name: name(), path: path.to_owned() };
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(form_error()),
        Err(error) => return Err(read_error(error)),
        Ok(_) => {}
    }
    let trimmed = secret.expose_secret().trim_end_matches(['\n', '\r']);
    if trimmed.is_empty() || secret.expose_secret().len() as u64 > SECRET_BYTES_MAX {
        return Err(form_error());
    }
    Ok(SecretString::from(trimmed))
}

/// A URL that may hold a password. `Debug` and `Display` leave the password out.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// The URL with its password; for connecting only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The same URL with the password that is kept apart from it, if there is one. A password that stands in the URL
    /// stays; a URL of something on this machine has no use for one.
    #[must_use]
    pub fn with_password(&self, password: Option<&SecretString>) -> Self {
        let (Some(password), Ok(mut url)) = (password, Url::parse(self.expose())) else {
            return self.clone();
        };
        if url.password().is_none() && url.has_host() {
            // Only a URL without a host cannot have one.
            let _ = url.set_password(Some(password.expose_secret()));
        }
        Self::from(url.as_str())
    }
}

impl From<&str> for SecretUrl {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.expose();
        let Some((scheme, rest)) = text.split_once("://") else {
            // Nothing that could hold a password, such as `memory:`, or nothing that can be taken apart.
            return f.write_str(text.split_once(':').map_or("(not a URL)", |(scheme, _)| scheme));
        };
        let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        // A password may stand in the query as well, so that is left out whole.
        let path = path.split(['?', '#']).next().unwrap_or_default();
        match authority.rsplit_once('@') {
            Some((_, host)) => write!(f, "{scheme}://…@{host}{path}"),
            None => write!(f, "{scheme}://{authority}{path}"),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(text: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_secret_file_is_read_without_its_last_line_break() {
        let (_folder, path) = file(b"planted secret\r\n", 0o600);
        let secret = read_secret("x", None, Some(&path)).unwrap().unwrap();
        assert_eq!(secret.expose_secret(), "planted secret");
    }

    #[test]
    fn a_secret_file_that_others_can_write_is_refused() {
        for mode in [0o620, 0o602, 0o666] {
            let (_folder, path) = file(b"planted", mode);
            let error = read_secret("smtp.password", None, Some(&path)).unwrap_err();
            assert!(matches!(error, SecretError::Writable { .. }), "{mode:o}");
            assert!(
                error.to_string().contains("smtp.password_file") && !error.to_string().contains("planted")
            );
        }
        let (_folder, path) = file(b"planted", 0o444);
        assert!(read_secret("x", None, Some(&path)).is_ok());
    }

    #[test]
    fn a_value_and_a_file_together_are_refused() {
        let (_folder, path) = file(b"planted", 0o600);
        let value = SecretString::from("other");
        assert!(matches!(read_secret("x", Some(&value), Some(&path)), Err(SecretError::Both { .. })));
        assert!(read_secret("x", None, None).unwrap().is_none());
    }

    #[test]
    fn an_empty_or_binary_secret_file_is_refused() {
        for text in [&b""[..], b"\n", b"\xff\xfe"] {
            let (_folder, path) = file(text, 0o600);
            assert!(matches!(read_secret("x", None, Some(&path)), Err(SecretError::Form { .. })));
        }
    }

    #[test]
    fn a_password_that_is_kept_apart_goes_into_the_url_of_a_server() {
        let with = |text: &str| {
            SecretUrl::from(text).with_password(Some(&SecretString::from("p/l@nted"))).expose().to_owned()
        };
        assert_eq!(with("redis://host:6379/0"), "redis://:p%2Fl%40nted@host:6379/0");
        assert_eq!(with("rediss://user@host/1?db=2"), "rediss://user:p%2Fl%40nted@host/1?db=2");
        assert_eq!(with("redis://:own@host/0"), "redis://:own@host/0");
        assert_eq!(with("sqlite:///var/lib/coffer/kms.db"), "sqlite:///var/lib/coffer/kms.db");
        assert_eq!(with("memory:"), "memory:");
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        let shown = |text: &str| SecretUrl::from(text).to_string();
        assert_eq!(shown("redis://user:planted@host:6379/0"), "redis://…@host:6379/0");
        assert_eq!(shown("redis://:pl@nted@host/0?password=planted"), "redis://…@host/0");
        assert_eq!(shown("sqlite:///var/lib/coffer/kms.db"), "sqlite:///var/lib/coffer/kms.db");
        assert_eq!(shown("memory:"), "memory");
        assert_eq!(format!("{:?}", SecretUrl::from("planted")), "(not a URL)");
    }
}

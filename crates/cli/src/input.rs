//! Secrets from people and from files: passwords, one-time codes, and values that are typed.
//!
//! A password never comes from an argument or an environment variable, which other processes can read:
//! only from a file, from standard input, or from a prompt that does not echo. A one-time code may be an
//! argument, which others on the machine can read until it has been used, or come from standard input.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use coffer_core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use coffer_core::{ExposeSecret, SecretString};
use zeroize::{Zeroize as _, Zeroizing};

/// A password file holds one line; more than this is the wrong file.
const PASSWORD_FILE_BYTES_MAX: usize = 4096;

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("reading the password from {path}", path = path.display())]
    PasswordFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the password in {path} must be one line of UTF-8, not empty", path = path.display())]
    PasswordForm { path: PathBuf },
    #[error("a password is needed: give --password-file FILE (- for standard input) or run in a terminal")]
    NoPassword,
    #[error("a new password is needed: give --new-password-file FILE or run in a terminal")]
    NoNewPassword,
    #[error("--password-file and --new-password-file must differ")]
    SamePasswordFile,
    #[error("standard input holds the code or the password, not both: give --new-password-file FILE")]
    CodeAndPassword,
    #[error("an e-mail address is needed")]
    NoEmail,
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters")]
    PasswordShort,
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    PasswordLong,
    #[error("the two passwords differ")]
    PasswordsDiffer,
    #[error("a code has six digits")]
    Code,
    #[error("reading from the terminal")]
    Terminal(#[source] io::Error),
}

/// A one-time code as it was typed: six digits.
#[derive(Clone)]
pub(crate) struct Code(Zeroizing<String>);

impl Code {
    /// The six digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(redacted)")
    }
}

impl FromStr for Code {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        // People copy codes with spaces around and within.
        let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InputError::Code);
        }
        Ok(Self(digits))
    }
}

/// Where a one-time code comes from: the command line, or standard input.
#[derive(Clone, Debug)]
pub(crate) enum CodeFrom {
    Argument(Code),
    Input,
}

impl FromStr for CodeFrom {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        if text == "-" { Ok(Self::Input) } else { text.parse().map(Self::Argument) }
    }
}

impl CodeFrom {
    /// The code; read once.
    pub(crate) fn read(self) -> Result<Code, InputError> {
        match self {
            Self::Argument(code) => Ok(code),
            Self::Input => {
                let line = one_line(io::stdin().lock()).map_err(InputError::Terminal)?;
                line.ok_or(InputError::Code)?.expose_secret().parse()
            }
        }
    }
}

/// Whether there is a person to ask.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The password of an account: from `file` if given, else asked for.
pub(crate) fn password(file: Option<&Path>, prompt: &str) -> Result<SecretString, InputError> {
    match file {
        Some(path) => password_file(path),
        None if is_interactive() => ask_hidden(prompt),
        None => Err(InputError::NoPassword),
    }
}

/// A password that is to be set: asked for twice, and checked as the server will.
pub(crate) fn new_password(file: Option<&Path>, missing: InputError) -> Result<SecretString, InputError> {
    let password = match file {
        Some(path) => password_file(path)?,
        None if is_interactive() => {
            let password = ask_hidden("New password: ")?;
            check_new(password.expose_secret())?;
            if ask_hidden("The same again: ")?.expose_secret() != password.expose_secret() {
                return Err(InputError::PasswordsDiffer);
            }
            password
        }
        None => return Err(missing),
    };
    check_new(password.expose_secret())?;
    Ok(password)
}

fn check_new(password: &str) -> Result<(), InputError> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(InputError::PasswordLong);
    }
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(InputError::PasswordShort);
    }
    Ok(())
}

/// Asks for a line, shown while it is typed.
pub(crate) fn ask(prompt: &str) -> Result<String, InputError> {
    let mut err = io::stderr().lock();
    err.write_all(prompt.as_bytes()).and_then(|()| err.flush()).map_err(InputError::Terminal)?;
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line).map_err(InputError::Terminal)?;
    if read == 0 {
        return Err(InputError::Terminal(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(line.trim().to_owned())
}

/// Asks for a line that is not shown.
pub(crate) fn ask_hidden(prompt: &str) -> Result<SecretString, InputError> {
    rpassword::prompt_password(prompt).map(SecretString::from).map_err(InputError::Terminal)
}

fn password_file(path: &Path) -> Result<SecretString, InputError> {
    let failed = |source| InputError::PasswordFile { path: path.into(), source };
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    one_line(source).map_err(failed)?.ok_or_else(|| InputError::PasswordForm { path: path.into() })
}

/// The one line that `source` holds, without its line end; `None` if it is not one line.
pub(crate) fn one_line(source: impl Read) -> io::Result<Option<SecretString>> {
    // One byte more than allowed shows that there is more; room for all, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * PASSWORD_FILE_BYTES_MAX));
    source.take(PASSWORD_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let valid = !line.is_empty() && bytes.len() <= PASSWORD_FILE_BYTES_MAX && !line.contains(&b'\n');
    let Ok(text) = std::str::from_utf8(line) else { return Ok(None) };
    Ok(valid.then(|| SecretString::from(text)))
}

/// Asks for the code that has been sent to `email`, until it has six digits.
pub(crate) fn ask_code(email: &str) -> Result<Code, InputError> {
    loop {
        let mut line = ask(&format!("Code sent to {email}: "))?;
        let code = line.parse();
        line.zeroize();
        if !matches!(code, Err(InputError::Code)) {
            return code;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> Option<String> {
        one_line(bytes).unwrap().map(|line| line.expose_secret().to_owned())
    }

    #[test]
    fn a_password_file_is_one_line_with_or_without_its_end() {
        for bytes in [&b"pass word"[..], b"pass word\n", b"pass word\r\n"] {
            assert_eq!(line(bytes).as_deref(), Some("pass word"));
        }
        assert_eq!(line(b" spaces stay \n").as_deref(), Some(" spaces stay "));
    }

    #[test]
    fn what_is_not_one_line_of_text_is_no_password() {
        for bytes in [&b""[..], b"\n", b"a\nb\n", b"a\n\n", b"\xff\xfe", &[b'a'; 4097]] {
            assert_eq!(line(bytes), None, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_code_has_six_digits_however_it_was_copied() {
        assert_eq!(" 123 456\n".parse::<Code>().unwrap().as_str(), "123456");
        for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(text.parse::<Code>().is_err(), "{text}");
        }
        assert_eq!(format!("{:?}", "123456".parse::<Code>().unwrap()), "Code(redacted)");
    }

    #[test]
    fn a_new_password_is_checked_before_it_is_sent() {
        assert!(matches!(check_new("short"), Err(InputError::PasswordShort)));
        assert!(matches!(check_new(&"x".repeat(73)), Err(InputError::PasswordLong)));
        assert!(check_new("long enough").is_ok());
    }
}

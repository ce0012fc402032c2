//! Puts the layers of settings together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Config, ConfigError, Environment, File, FileFormat};
use serde::de::DeserializeOwned;

/// Why settings are not accepted.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("reading the settings file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// An environment variable that looks like a setting and is none.
    #[error("the environment variable `{variable}` is not a setting: did you mean `{suggestion}`?")]
    Variable {
        /// The variable as it was found.
        variable: String,
        /// As it might have been meant.
        suggestion: String,
    },
    /// A setting that is unknown or has a value that does not fit.
    #[error("{0}")]
    Setting(String),
}

/// Where settings come from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The service, in lower case: `kms`.
    pub service: &'a str,
    /// Settings that hold unless something says otherwise, by their dotted names.
    pub defaults: &'a [(&'a str, &'a str)],
    /// The TOML file.
    pub file: Option<&'a Path>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

impl<'a> Sources<'a> {
    /// The environment of this process over `file` over `defaults`. A variable that is not UTF-8 is none
    /// of ours.
    pub fn of_process(service: &'a str, defaults: &'a [(&'a str, &'a str)], file: Option<&'a Path>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { service, defaults, file, environment }
    }

    fn prefix(&self) -> String {
        format!("COFFER_{}", self.service.to_uppercase())
    }

    /// A single underscore behind the service's name is the commonest mistake, and it would go unseen.
    /// `COFFER_KMS_URL` and `COFFER_DATA_URL` are none: they tell the command line where the services are,
    /// and whoever runs both from one shell has them set.
    fn check_names(&self) -> Result<(), LoadError> {
        let (one, two) = (format!("{}_", self.prefix()), format!("{}__", self.prefix()));
        let for_clients = format!("{one}URL");
        let mistaken =
            |name: &&String| name.starts_with(&one) && !name.starts_with(&two) && **name != for_clients;
        match self.environment.keys().find(mistaken) {
            None => Ok(()),
            Some(variable) => {
                let rest = &variable[one.len()..];
                let rest = if rest.contains("__") { rest.to_owned() } else { rest.replacen('_', "__", 1) };
                Err(LoadError::Variable { variable: variable.clone(), suggestion: format!("{two}{rest}") })
            }
        }
    }

    fn read_file(&self) -> Result<String, LoadError> {
        let Some(path) = self.file else { return Ok(String::new()) };
        std::fs::read_to_string(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })
    }
}

/// Loads the settings of a service.
pub fn load<T: DeserializeOwned>(sources: &Sources<'_>) -> Result<T, LoadError> {
    sources.check_names()?;
    let mut builder = Config::builder();
    for (name, value) in sources.defaults {
        builder = builder.set_default(*name, *value).map_err(|error| explain(&error, sources))?;
    }
    let environment = Environment::with_prefix(&sources.prefix())
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .source(Some(sources.environment.clone().into_iter().collect()));
    builder
        .add_source(File::from_str(&sources.read_file()?, FileFormat::Toml))
        .add_source(environment)
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| explain(&error, sources))
}

/// An error in words: which setting, where it stands, and what is wrong with it. Values are left out,
/// for they may be secrets.
fn explain(error: &ConfigError, sources: &Sources<'_>) -> LoadError {
    let (key, reason) = match error {
        ConfigError::At { error, key, .. } => (key.clone().unwrap_or_default(), reason(error)),
        ConfigError::Type { expected, key, .. } => {
            (key.clone().unwrap_or_default(), format!("expected {expected}"))
        }
        other => (String::new(), reason(other)),
    };
    let (key, reason) = match unknown(&reason) {
        Some(name) => (name_below(&key, name), "is not a known setting".to_owned()),
        None => (key, reason),
    };
    if key.is_empty() {
        return LoadError::Setting(reason);
    }
    let variable = format!("{}__{}", sources.prefix(), key.replace('.', "__").to_uppercase());
    let set = sources.environment.keys().any(|name| name.eq_ignore_ascii_case(&variable));
    let place = if set { format!(" (environment variable `{variable}`)") } else { String::new() };
    LoadError::Setting(format!("setting `{key}`{place}: {reason}"))
}

fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::Type { expected, .. } => format!("expected {expected}"),
        ConfigError::At { error, .. } => reason(error),
        ConfigError::FileParse { cause, .. } => format!("the settings file is not valid TOML: {cause}"),
        ConfigError::Message(message) => without_value(message),
        other => without_value(&other.to_string()),
    }
}

/// Serde's messages repeat the value that does not fit; only what was expected is kept.
fn without_value(message: &str) -> String {
    let echoes = ["invalid type: ", "invalid value: ", "invalid length "];
    match message.rfind(", expected ") {
        Some(at) if echoes.iter().any(|prefix| message.starts_with(prefix)) => {
            format!("expected {}", &message[at + 11..])
        }
        _ => message.to_owned(),
    }
}

fn unknown(reason: &str) -> Option<&str> {
    reason.strip_prefix("unknown field `")?.split('`').next()
}

fn name_below(key: &str, name: &str) -> String {
    if key.is_empty() || key == name || key.ends_with(&format!(".{name}")) {
        return if key.is_empty() { name.to_owned() } else { key.to_owned() };
    }
    format!("{key}.{name}")
}

#[cfg(test)]
mod tests {
    use coffer_core::{ExposeSecret as _, SecretString};
    use serde::Deserialize;

    use super::*;
    use crate::settings::{HttpSettings, List};

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        http: HttpSettings,
        smtp: Smtp,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Smtp {
        port: u16,
        password: Option<SecretString>,
        names: List<String>,
    }

    const DEFAULTS: &[(&str, &str)] = &[("http.bind", "127.0.0.1:3000"), ("smtp.port", "25")];

    fn sample(file: &str, environment: &[(&str, &str)]) -> Result<Sample, LoadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kms.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(&Sources { service: "kms", defaults: DEFAULTS, file: Some(&path), environment })
    }

    #[test]
    fn the_environment_goes_over_the_file_and_the_file_over_defaults() {
        let settings = sample("[smtp]\nport = 26", &[]).unwrap();
        assert_eq!((settings.smtp.port, settings.http.bind.port()), (26, 3000));
        let environment = [
            ("COFFER_KMS__SMTP__PORT", "27"),
            ("COFFER_KMS__SMTP__NAMES", "a,b"),
            ("COFFER_KMS__HTTP__WORKERS", ""),
            ("COFFER_DATA__NONSENSE", "x"),
        ];
        let settings = sample("[smtp]\nport = 26\nnames = [\"c\"]", &environment).unwrap();
        assert_eq!(settings.smtp.port, 27);
        assert_eq!(*settings.smtp.names, ["a".to_owned(), "b".to_owned()]);
    }

    #[test]
    fn a_secret_keeps_every_character_and_is_not_printed() {
        let settings = sample("", &[("COFFER_KMS__SMTP__PASSWORD", "007")]).unwrap();
        assert_eq!(settings.smtp.password.as_ref().unwrap().expose_secret(), "007");
        assert!(!format!("{settings:?}").contains("007"));
    }

    #[test]
    fn an_unknown_setting_is_named_wherever_it_stands() {
        let error = sample("[smtp]\nprot = 1", &[]).unwrap_err().to_string();
        assert_eq!(error, "setting `smtp.prot`: is not a known setting");
        let error = sample("", &[("COFFER_KMS__SMTP__PROT", "1")]).unwrap_err().to_string();
        let expected =
            "setting `smtp.prot` (environment variable `COFFER_KMS__SMTP__PROT`): is not a known setting";
        assert_eq!(error, expected);
        let error = sample("", &[("COFFER_KMS__SMPT__PORT", "1")]).unwrap_err().to_string();
        assert_eq!(error, "setting `smpt`: is not a known setting");
        let error = sample("", &[("COFFER_KMS_SMTP_PORT", "1")]).unwrap_err().to_string();
        assert!(error.contains("did you mean `COFFER_KMS__SMTP__PORT`"), "{error}");
    }

    #[test]
    fn the_command_lines_own_variables_are_no_mistake() {
        assert!(sample("", &[("COFFER_KMS_URL", "http://127.0.0.1:3000")]).is_ok());
        assert!(sample("", &[("COFFER_KMS_URL_X", "")]).is_err());
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_not_repeated() {
        let error = sample("", &[("COFFER_KMS__SMTP__PORT", "planted")]).unwrap_err().to_string();
        assert!(error.contains("smtp.port") && error.contains("expected"), "{error}");
        assert!(!error.contains("planted"), "{error}");
        let error = sample("[smtp", &[]).unwrap_err().to_string();
        assert!(error.contains("TOML"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let sources = Sources {
            service: "kms",
            defaults: DEFAULTS,
            file: Some(Path::new("/nonexistent/kms.toml")),
            environment: BTreeMap::new(),
        };
        assert!(matches!(load::<Sample>(&sources), Err(LoadError::Read { .. })));
    }
}

//! How configurations are written as a text, and what the name of a file says about that.

use std::path::Path;

use clap::ValueEnum;
use coffer_api::configs::ConfigFormat;

/// A way to write configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Json,
    Yaml,
    Toml,
    /// Variables of an environment, as in a file .env
    Env,
}

impl Format {
    /// What the name of a file says, if it says something. `.env.production` is an environment file, as is
    /// `production.env`.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        match name.rsplit_once('.')?.1 {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "env" => Some(Self::Env),
            _ => name.starts_with(".env.").then_some(Self::Env),
        }
    }

    /// Its name on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Env => "env",
        }
    }
}

impl From<Format> for ConfigFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Json => Self::Json,
            Format::Yaml => Self::Yaml,
            Format::Toml => Self::Toml,
            Format::Env => Self::Env,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_format_or_nothing() {
        for (name, format) in [
            ("a.json", Some(Format::Json)),
            ("a/b.YAML", Some(Format::Yaml)),
            ("a.b.yml", Some(Format::Yaml)),
            ("a.toml", Some(Format::Toml)),
            (".env", Some(Format::Env)),
            ("production.env", Some(Format::Env)),
            (".env.production", Some(Format::Env)),
            (".env.json", Some(Format::Json)),
            ("env", None),
            ("a.txt", None),
            ("a.json/b", None),
            ("..", None),
        ] {
            assert_eq!(Format::of_name(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn the_word_is_the_one_that_the_command_line_takes() {
        for format in Format::value_variants() {
            assert_eq!(Format::from_str(format.word(), false).as_ref(), Ok(format));
        }
    }
}

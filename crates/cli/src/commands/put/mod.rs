//! `coffer put`: encrypts a file here and stores it, or a whole folder.

mod classic;
mod envelope;
mod tree;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use coffer_core::{EmailAddress, FileName};

use crate::app::App;
use crate::error::CliError;

/// Arguments of `coffer put`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to store; - is standard input. With -r the folder
    file: PathBuf,
    /// Its name in the store; by default the file's own name without folders
    name: Option<FileName>,
    /// Store it among this person's files, who has let you write
    #[arg(long, value_name = "EMAIL", conflicts_with = "classic")]
    owner: Option<EmailAddress>,
    /// Refuse a name that has a file; otherwise the file gets a new version, and the old one is kept for a while
    #[arg(long, short)]
    no_replace: bool,
    /// Write the classic envelope (AES-256-CBC, RSA-OAEP), for the original clients: up to about 47 MiB, and only
    /// under a name that is free
    #[arg(long)]
    classic: bool,
    /// Store a folder with all that is in it. What is stored already and has not changed is passed over, so after an
    /// interruption the same command goes on
    #[arg(long, short, conflicts_with_all = ["classic", "no_replace"])]
    recursive: bool,
    /// With -r: how many files are sent at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
}

/// Stores a file.
pub(crate) async fn run(args: Args, app: &App) -> Result<(), CliError> {
    if args.recursive {
        return tree::put(args, app).await;
    }
    let name = name_of(&args.file, args.name.clone())?;
    if args.classic { classic::put(args, name, app).await } else { envelope::put(args, name, app).await }
}

fn name_of(file: &Path, given: Option<FileName>) -> Result<FileName, CliError> {
    if let Some(name) = given {
        return Ok(name);
    }
    if file == Path::new("-") {
        return Err(CliError::NameNeeded);
    }
    let last = file.file_name().and_then(|last| last.to_str()).unwrap_or_default();
    last.parse().map_err(|source| CliError::NameFromPath { path: file.into(), source })
}

/// What is read, and what the system tells of it if it is a file.
fn open(file: &Path) -> Result<(Box<dyn Read + Send>, Option<std::fs::Metadata>), CliError> {
    if file == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let failed = |source| CliError::ReadFile { path: file.into(), source };
    let opened = File::open(file).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok((Box::new(opened), Some(metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_last_part_unless_it_is_named() {
        let name = |file: &str, given: Option<&str>| {
            name_of(Path::new(file), given.map(|text| text.parse().unwrap())).map(|name| name.to_string())
        };
        assert_eq!(name("/home/ann/報告 2026.bin", None).unwrap(), "報告 2026.bin");
        assert_eq!(name("a", Some("reports/a")).unwrap(), "reports/a");
        assert_eq!(name("-", Some("a")).unwrap(), "a");
        assert!(matches!(name("-", None), Err(CliError::NameNeeded)));
        assert!(matches!(name("/", None), Err(CliError::NameFromPath { .. })));
        assert!(matches!(name("a/..", None), Err(CliError::NameFromPath { .. })));
    }
}

//! Logs and metrics of the process. Both are global by nature, and installed once, by the first service
//! that starts; everything else in this crate is a value.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::failure::Chain;
use crate::json_lines::JsonLines;
use crate::settings::{LogFormat, LogSettings};

/// Upper bounds of the duration histograms, in seconds.
const BUCKETS_S: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Why there are no logs or metrics.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is no filter.
    #[error("`log.level` is not a level or a filter")]
    Level(#[source] tracing_subscriber::filter::ParseError),
    /// `log.file` cannot be written.
    #[error("opening the log file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// Something else in this process has installed a recorder.
    #[error("installing metrics")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}

/// The filter of `level`, quieter about the machinery below us. A word alone must be a level: the library takes any other
/// for a part of the program, and shows nothing else from then on.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let words =
        level.split(',').map(str::trim).filter(|word| !word.is_empty() && !word.contains(['=', '[', ']']));
    for word in words {
        if let Err(error) = word.parse::<LevelFilter>() {
            let error: Box<dyn Error + Send + Sync> = error.into();
            return Err(TelemetryError::Level(error.into()));
        }
    }
    EnvFilter::try_new(format!("actix_server=warn,{level}")).map_err(TelemetryError::Level)
}

fn lines<S, W>(format: LogFormat, writer: W, colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(colours);
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.event_format(JsonLines).boxed(),
    }
}

/// The file that log lines go to, until it is opened anew.
#[derive(Clone)]
struct LogFile {
    path: PathBuf,
    current: Arc<RwLock<Arc<File>>>,
}

impl LogFile {
    fn open(path: PathBuf) -> Result<Self, TelemetryError> {
        let current = Arc::new(RwLock::new(Self::open_file(&path)?));
        Ok(Self { path, current })
    }

    fn open_file(path: &Path) -> Result<Arc<File>, TelemetryError> {
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
        file.map(Arc::new).map_err(|source| TelemetryError::File { path: path.to_owned(), source })
    }

    /// Goes on in whatever is at the path now; in the old file if that cannot be opened.
    fn reopen(&self) -> Result<(), TelemetryError> {
        let file = Self::open_file(&self.path)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = file;
        Ok(())
    }
}

impl MakeWriter<'_> for LogFile {
    type Writer = Arc<File>;

    fn make_writer(&self) -> Arc<File> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

static LOG_FILE: OnceLock<LogFile> = OnceLock::new();

/// Installs logs. Where some are installed already, by another service of this process or by a test, they
/// stay as they are.
pub fn init_logs(settings: &LogSettings) -> Result<(), TelemetryError> {
    let stderr = lines(settings.format, std::io::stderr, std::io::stderr().is_terminal());
    let file = settings.file.clone().map(LogFile::open).transpose()?;
    let to_file = file.clone().map(|file| lines(settings.format, file, false));
    let filter = filter(&settings.level)?;
    let installed = tracing_subscriber::registry().with(stderr).with(to_file).with(filter).try_init();
    if let (Ok(()), Some(file)) = (installed, file) {
        let _ = LOG_FILE.set(file);
    }
    Ok(())
}

/// Opens the log file anew, after whoever rotates logs has moved it away.
pub(crate) fn reopen_logs() {
    match LOG_FILE.get().map(LogFile::reopen) {
        None => {}
        Some(Ok(())) => tracing::info!("the log file was opened anew"),
        Some(Err(error)) => tracing::error!(error = %Chain(&error), "the log file cannot be opened anew"),
    }
}

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// The metrics of this process; the first call installs them.
pub(crate) fn metrics_handle() -> Result<PrometheusHandle, TelemetryError> {
    if let Some(handle) = METRICS.get() {
        return Ok(handle.clone());
    }
    let recorder =
        PrometheusBuilder::new().set_buckets(BUCKETS_S).map_err(TelemetryError::Metrics)?.build_recorder();
    let handle = recorder.handle();
    // Two services that start at the same moment: the first one's recorder is the process's.
    Ok(METRICS
        .get_or_init(|| {
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone())
}

#[cfg(test)]
mod tests;

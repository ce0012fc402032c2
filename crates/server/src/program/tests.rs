use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::run::start;
use crate::settings::InternalSettings;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    http: HttpSettings,
    log: LogSettings,
    internal: InternalSettings,
}

enum Sample {}

impl Program for Sample {
    const NAME: ServiceName = ServiceName::Gateway;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("http.bind", "127.0.0.1:8000")];
    type Settings = Settings;
    type Command = NoCommand;

    fn http(settings: &Settings) -> &HttpSettings {
        &settings.http
    }

    fn log(settings: &Settings) -> &LogSettings {
        &settings.log
    }

    fn check(settings: &Settings) -> Result<(), Cause> {
        settings.internal.own_secret(Self::NAME)?;
        Ok(())
    }

    async fn build(settings: Settings) -> Result<Service, Cause> {
        Ok(Service::new(Self::NAME, &settings.http))
    }

    async fn command(_: Settings, command: NoCommand) -> Result<(), Cause> {
        match command {}
    }
}

const GOOD: &str = "[internal]\nsecret = \"planted-planted-planted-planted-planted\"\n";

fn with_file(text: &str, command: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    call(&path, command)
}

fn call(path: &Path, command: &str) -> Result<(), String> {
    let arguments = ["coffer-gateway", command, "--config", path.to_str().unwrap()];
    let arguments = Arguments::try_parse_from(arguments).map_err(|error| error.to_string())?;
    execute::<Sample>(arguments).map_err(|error| Chain(error.as_ref()).to_string())
}

#[test]
fn check_config_accepts_settings_with_which_the_service_could_start() {
    assert_eq!(with_file(GOOD, "check-config"), Ok(()));
}

#[test]
fn check_config_says_in_words_what_is_wrong() {
    let wrong = |text: &str| with_file(text, "check-config").unwrap_err();
    assert!(wrong("").contains("openssl rand"), "{}", wrong(""));
    assert_eq!(wrong("[http]\nbnid = \"x\""), "setting `http.bnid`: is not a known setting");
    assert!(wrong("[http]\nbind = \"x\"").contains("`http.bind`: "), "{}", wrong("[http]\nbind = \"x\""));
    assert!(wrong("[http]\ntrusted_proxies = [\"ten\"]").contains("`ten`: expected an address or a network"));
    let level = wrong(&format!("{GOOD}[log]\nlevel = \"coffer=shouting\""));
    assert!(level.starts_with("`log.level` is not a level or a filter"), "{level}");
    let short = wrong("[internal]\nsecret = \"planted\"");
    assert!(short.contains("at least 32 bytes") && !short.contains("planted"), "{short}");
}

#[test]
fn healthcheck_asks_the_running_service() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = HttpSettings { workers: 1, ..HttpSettings::default() };
    let service = Service::new(ServiceName::Gateway, &settings);
    let running = runtime.block_on(start(vec![service])).unwrap();
    let file = format!("[http]\ninternal_bind = \"{}\"", running.services()[0].internal);
    assert_eq!(with_file(&file, "healthcheck"), Ok(()));
    runtime.block_on(running.stop());
    assert!(with_file(&file, "healthcheck").is_err());
    assert!(with_file("", "healthcheck").unwrap_err().contains("port 0"));
}

#[test]
fn an_unknown_command_is_refused() {
    assert!(with_file(GOOD, "chekc-config").is_err());
}

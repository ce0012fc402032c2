//! The settings of the services: what the environment says, and for the rest what suits one process on one
//! machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::available_parallelism;

use coffer_core::Random;
use coffer_data::DataService;
use coffer_gateway::GatewayService;
use coffer_kms::KmsService;
use coffer_server::settings::{HttpSettings, LoadError, SecretUrl, ServiceCredential, Sources, load};
use coffer_server::{Cause, Program};
use url::Url;

use crate::arguments::Arguments;
use crate::directory::{Directory, KMS_RECORDS};

/// Threads for each public listener unless the settings say how many: one machine that runs everything is
/// seldom in need of more, and each costs memory.
const WORKERS_MAX: usize = 4;

/// The settings of all services.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) kms: <KmsService as Program>::Settings,
    pub(crate) data: <DataService as Program>::Settings,
    pub(crate) gateway: <GatewayService as Program>::Settings,
}

fn loaded<P: Program>(config: Option<&Path>) -> Result<P::Settings, LoadError> {
    load(&Sources::of_process(P::NAME.as_str(), P::DEFAULTS, config))
}

impl Settings {
    /// What files and environment say, with nothing filled in yet.
    pub(crate) fn load(arguments: &Arguments) -> Result<Self, LoadError> {
        Ok(Self {
            kms: loaded::<KmsService>(arguments.kms_config.as_deref())?,
            data: loaded::<DataService>(arguments.data_config.as_deref())?,
            gateway: loaded::<GatewayService>(arguments.gateway_config.as_deref())?,
        })
    }

    /// Fills in what the data directory provides: storage, keys and the way to each other. What is missing
    /// there is made.
    pub(crate) fn complete(&mut self, directory: &Directory, random: &dyn Random) -> Result<(), Cause> {
        let Self { kms, data, gateway } = self;
        // Held until all are chosen, so that no port is chosen twice.
        let mut chosen = Vec::new();
        for http in [&mut kms.http, &mut data.http, &mut gateway.http] {
            complete_http(http, &mut chosen)?;
        }
        drop(chosen);
        let path = |name: &str| directory.path().join(name);
        kms.storage.records.get_or_insert(storage_url("sqlite", &path(KMS_RECORDS))?);
        data.storage.records.get_or_insert(storage_url("sqlite", &path("data.db"))?);
        data.storage.blobs.get_or_insert(storage_url("file", &path("blobs"))?);
        gateway.storage.records.get_or_insert(storage_url("sqlite", &path("gateway.db"))?);
        let keyring = &mut kms.keyring;
        let has_key = keyring.root_key.is_some() || keyring.root_key_file.is_some();
        if !has_key && keyring.password.is_none() && keyring.password_file.is_none() {
            keyring.root_key_file = Some(directory.root_key(random)?);
        }
        for (service, internal) in
            [(DataService::NAME, &mut data.internal), (GatewayService::NAME, &mut gateway.internal)]
        {
            if internal.secret.is_none() && internal.secret_file.is_none() {
                let secret_file = Some(directory.service_secret(service, random)?);
                internal.secret_file.clone_from(&secret_file);
                let credential = || ServiceCredential { secret: None, secret_file };
                kms.internal.services.entry(service.to_string()).or_insert_with(credential);
            }
            internal.kms_url.get_or_insert_with(|| url_of(kms.http.internal_bind));
        }
        // Nobody could register without mail; the mailbox is for this machine alone.
        kms.smtp.dev_mailbox |= kms.smtp.host.is_none();
        gateway.upstream.kms_url.get_or_insert_with(|| url_of(kms.http.bind));
        gateway.upstream.data_url.get_or_insert_with(|| url_of(data.http.bind));
        kms.internal.data_url.get_or_insert_with(|| url_of(data.http.internal_bind));
        Ok(())
    }
}

fn complete_http(http: &mut HttpSettings, chosen: &mut Vec<TcpListener>) -> std::io::Result<()> {
    if http.workers == 0 {
        http.workers = available_parallelism().map_or(1, NonZeroUsize::get).min(WORKERS_MAX);
    }
    for bind in [&mut http.internal_bind, &mut http.bind] {
        if bind.port() == 0 {
            // Other services must be told the port before this one listens.
            let listener = TcpListener::bind(*bind)?;
            *bind = listener.local_addr()?;
            chosen.push(listener);
        }
    }
    Ok(())
}

fn storage_url(scheme: &str, path: &Path) -> Result<SecretUrl, Cause> {
    let url = Url::from_file_path(path).map_err(|()| format!("{} is not absolute", path.display()))?;
    Ok(SecretUrl::from(format!("{scheme}://{}", url.path()).as_str()))
}

/// Where a listener of this process is reached from inside it.
pub(crate) fn url_of(bind: SocketAddr) -> String {
    let ip = match bind.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, bind.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_url_keeps_any_path() {
        let url = storage_url("sqlite", Path::new("/a b/報?#%.db")).unwrap();
        assert_eq!(url.expose(), "sqlite:///a%20b/%E5%A0%B1%3F%23%25.db");
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_loopback() {
        assert_eq!(url_of("0.0.0.0:3001".parse().unwrap()), "http://127.0.0.1:3001");
        assert_eq!(url_of("[::]:3001".parse().unwrap()), "http://[::1]:3001");
        assert_eq!(url_of("10.0.0.1:3001".parse().unwrap()), "http://10.0.0.1:3001");
    }
}

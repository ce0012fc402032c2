//! A KMS and two gateways over one store: one counts operations, the other does not.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::BenchResult;
use crate::http::{Request, ask};
use crate::servers::{Process, free_port, start_redis, start_service};
use crate::smtp::MailSink;
use crate::table::{Row, Table};

const PASSWORD: &str = "a password of the bench";
const SECRET: &str = "the secret of the bench's gateway, long enough";

/// The services.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The public port of the gateway that counts operations.
    pub(crate) counting: u16,
    /// That of the one that does not, where there is one: SQLite has one process.
    pub(crate) silent: Option<u16>,
    /// The port of the gateways' Redis, if they have one.
    pub(crate) redis: Option<u16>,
    kms: u16,
    kms_internal: u16,
    mail: MailSink,
    /// The KMS, then the gateways: first the one that counts.
    services: Vec<(&'static str, Process)>,
    /// The settings of the gateway that counts, and where its log goes.
    of_counting: (Vec<(&'static str, String)>, PathBuf),
    stores: Vec<Process>,
}

/// The bound on idle memory, in MiB, that each service is held to.
const IDLE_MIB_MAX: f64 = 20.0;
/// What configurations may use, in bytes: far more than is made.
const CONFIGS_BYTES_MAX: u64 = 16 << 30;
/// How long the KMS may take to make its pairs of keys ahead: it would take its share of the cores from what follows.
const POOL_LOOKS: u32 = 600;

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn binding(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

impl Stage {
    /// Everything on Redis: the KMS's with `appendfsync always`, the gateways' with `everysec`.
    pub(crate) async fn on_redis(dir: &Path) -> BenchResult<Self> {
        let (keys, keys_port) = start_redis(dir, "always")?;
        let (values, redis) = start_redis(dir, "everysec")?;
        let records = format!("redis://127.0.0.1:{keys_port}/0");
        let mut stage = Self::with_kms(dir, &records).await?;
        let records = format!("redis://127.0.0.1:{redis}/0");
        stage.counting = stage.gateway(dir, (&records, true))?;
        stage.silent = Some(stage.gateway(dir, (&records, false))?);
        stage.redis = Some(redis);
        stage.stores.extend([keys, values]);
        stage.settle().await?;
        Ok(stage)
    }

    /// Everything on SQLite.
    pub(crate) async fn on_sqlite(dir: &Path) -> BenchResult<Self> {
        let place = |name: &str| format!("sqlite://{}", dir.join(name).display());
        let mut stage = Self::with_kms(dir, &place("kms.db")).await?;
        stage.counting = stage.gateway(dir, (&place("gateway.db"), true))?;
        stage.settle().await?;
        Ok(stage)
    }

    async fn with_kms(dir: &Path, records: &str) -> BenchResult<Self> {
        let mail = MailSink::start().await?;
        let [kms, internal] = [free_port()?, free_port()?];
        let many = || "1000000".to_owned();
        let settings = [
            ("COFFER_KMS__HTTP__BIND", binding(kms)),
            ("COFFER_KMS__HTTP__INTERNAL_BIND", binding(internal)),
            ("COFFER_KMS__STORAGE__RECORDS", records.to_owned()),
            ("COFFER_KMS__KEYRING__ROOT_KEY", "5a".repeat(32)),
            ("COFFER_KMS__INTERNAL__SERVICES__GATEWAY__SECRET", SECRET.to_owned()),
            // There is no data service: nothing that is measured goes there.
            ("COFFER_KMS__INTERNAL__SERVICES__DATA__SECRET", SECRET.repeat(2)),
            ("COFFER_KMS__INTERNAL__DATA_URL", url(internal)),
            ("COFFER_KMS__SMTP__HOST", "127.0.0.1".to_owned()),
            ("COFFER_KMS__SMTP__PORT", mail.port.to_string()),
            ("COFFER_KMS__SMTP__TLS", "none".to_owned()),
            ("COFFER_KMS__SMTP__FROM", "coffer@example.com".to_owned()),
            ("COFFER_KMS__LOG__LEVEL", "warn".to_owned()),
            ("COFFER_KMS__LIMITS__AUTH_PER_ADDRESS_MAX", many()),
            ("COFFER_KMS__LIMITS__CODES_PER_ADDRESS_MAX", many()),
        ];
        let process = start_service("coffer-kms", &[], &settings, (kms, dir))?;
        let services = vec![("coffer-kms", process)];
        Ok(Self {
            counting: 0,
            silent: None,
            redis: None,
            kms,
            kms_internal: internal,
            mail,
            services,
            of_counting: (Vec::new(), dir.to_owned()),
            stores: Vec::new(),
        })
    }

    /// Starts one more gateway; its public port.
    fn gateway(&mut self, dir: &Path, (records, analytics): (&str, bool)) -> BenchResult<u16> {
        let [port, internal] = [free_port()?, free_port()?];
        let settings = [
            ("COFFER_GATEWAY__HTTP__BIND", binding(port)),
            ("COFFER_GATEWAY__HTTP__INTERNAL_BIND", binding(internal)),
            ("COFFER_GATEWAY__STORAGE__RECORDS", records.to_owned()),
            ("COFFER_GATEWAY__INTERNAL__SECRET", SECRET.to_owned()),
            ("COFFER_GATEWAY__INTERNAL__KMS_URL", url(self.kms_internal)),
            ("COFFER_GATEWAY__UPSTREAM__KMS_URL", url(self.kms)),
            // Nothing that is measured goes there.
            ("COFFER_GATEWAY__UPSTREAM__DATA_URL", url(self.kms)),
            ("COFFER_GATEWAY__ANALYTICS__ENABLED", analytics.to_string()),
            ("COFFER_GATEWAY__LOG__LEVEL", "warn".to_owned()),
            // One address brings all user keys, and fills one name space.
            ("COFFER_GATEWAY__CONFIGS__DERIVATIONS_PER_ADDRESS_PER_MINUTE_MAX", "1000000".to_owned()),
            ("COFFER_GATEWAY__CONFIGS__SPACE_BYTES_MAX", CONFIGS_BYTES_MAX.to_string()),
            ("COFFER_GATEWAY__CONFIGS__TOTAL_BYTES_MAX", CONFIGS_BYTES_MAX.to_string()),
        ];
        let name = if analytics { "coffer-gateway" } else { "coffer-gateway, analytics off" };
        self.services.push((name, start_service("coffer-gateway", &[], &settings, (port, dir))?));
        if analytics {
            self.of_counting.0 = settings.to_vec();
        }
        Ok(port)
    }

    /// Stops the gateway that counts and starts it again: it remembers nothing of what it had in memory.
    pub(crate) fn restart_gateway(&mut self) -> BenchResult<()> {
        let (settings, dir) = &self.of_counting;
        let (_, process) = self.services.get_mut(1).ok_or("this stage has no gateway")?;
        process.stop()?;
        *process = start_service("coffer-gateway", &[], settings, (self.counting, dir))?;
        Ok(())
    }

    /// Waits until the KMS has made as many pairs of keys ahead as it keeps.
    async fn settle(&self) -> BenchResult<()> {
        let (mut pairs, mut same) = (0.0, 0);
        for _ in 0..POOL_LOOKS {
            let metrics = crate::http::text(self.kms_internal, "/metrics").await?;
            let line = metrics.lines().find_map(|line| line.strip_prefix("coffer_key_pool_pairs"));
            // It tells nothing before it has made the first pair.
            let now =
                line.and_then(|line| line.split_whitespace().last()?.parse::<f64>().ok()).unwrap_or(0.0);
            same = if now > pairs { 0 } else { same + 1 };
            pairs = now;
            if pairs > 0.0 && same >= 10 {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        Err("the pool of key pairs was not full within two minutes".into())
    }

    /// Prints what each service holds in memory.
    pub(crate) fn memory(&self, table: &mut Table) -> BenchResult<()> {
        for (name, process) in &self.services {
            table.row(&Row {
                what: (*name).to_owned(),
                figure: process.resident_mib()?,
                limit: Some((IDLE_MIB_MAX, "the bound")),
                unit: "MiB",
                aim: "under 20 MiB",
            });
        }
        Ok(())
    }

    /// The gateway that counts.
    pub(crate) fn gateway_process(&self) -> BenchResult<&Process> {
        Ok(self.services.get(1).map(|(_, process)| process).ok_or("this stage has no gateway")?)
    }

    /// Registers somebody and logs them in, at the KMS; the session's token.
    pub(crate) async fn log_in(&self, email: &str) -> BenchResult<String> {
        let account = json!({"email": email, "password": PASSWORD});
        self.ask("/register", &account, "registration_pending").await?;
        let code = json!({"email": email, "otp": self.mail.code_for(email).await?});
        self.ask("/verify_register", &code, "registration_success").await?;
        self.ask("/login", &account, "login_otp_sent").await?;
        let code = json!({"email": email, "otp": self.mail.code_for(email).await?});
        let answer = self.ask("/verify_login", &code, "login_success").await?;
        Ok(answer["sid"].as_str().ok_or("no sid")?.to_owned())
    }

    async fn ask(&self, path: &str, body: &Value, message: &str) -> BenchResult<Value> {
        let answer = ask(self.kms, &Request::post(path, None, body)).await?;
        if answer["message"] != message {
            return Err(format!("expected {message}, got {answer}").into());
        }
        Ok(answer)
    }
}

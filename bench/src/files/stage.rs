//! Services set up for the bench, and people logged in to them.

use std::path::Path;

use serde_json::{Value, json};

use crate::BenchResult;
use crate::http::{Request, ask};
use crate::servers::{Process, free_port, start_redis, start_service};
use crate::smtp::MailSink;
use crate::table::{Row, Table};

/// A KMS and a data service, with a mail sink.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The public port of the KMS.
    pub(crate) kms: u16,
    /// The public port of the data service.
    pub(crate) data: u16,
    /// The internal port of the KMS.
    pub(crate) kms_internal: u16,
    /// The port of the data service's Redis, if it has one.
    pub(crate) redis: Option<u16>,
    mail: MailSink,
    services: Vec<(&'static str, Process)>,
    _redis: Vec<Process>,
}

/// The bound on idle memory, in MiB, that each service is held to.
const IDLE_MIB_MAX: f64 = 20.0;

const PASSWORD: &str = "a password of the bench";

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn binding(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Settings that both kinds of stage need: mail to the sink, and limits that one address may use up.
fn common(mail: &MailSink) -> Vec<(&'static str, String)> {
    vec![
        ("COFFER_KMS__SMTP__HOST", "127.0.0.1".to_owned()),
        ("COFFER_KMS__SMTP__PORT", mail.port.to_string()),
        ("COFFER_KMS__SMTP__TLS", "none".to_owned()),
        ("COFFER_KMS__SMTP__FROM", "coffer@example.com".to_owned()),
        ("COFFER_KMS__LOG__LEVEL", "warn".to_owned()),
        ("COFFER_DATA__LOG__LEVEL", "warn".to_owned()),
        ("COFFER_KMS__LIMITS__AUTH_PER_ADDRESS_MAX", "1000000".to_owned()),
        ("COFFER_KMS__LIMITS__AUTH_PER_ACCOUNT_MAX", "1000000".to_owned()),
        ("COFFER_KMS__LIMITS__AUTH_PER_DEVICE_MAX", "1000000".to_owned()),
        ("COFFER_KMS__LIMITS__CODES_PER_ADDRESS_MAX", "1000000".to_owned()),
        ("COFFER_KMS__LIMITS__CODES_PER_ACCOUNT_MAX", "1000000".to_owned()),
        ("COFFER_KMS__LIMITS__CODES_PER_DEVICE_MAX", "1000000".to_owned()),
    ]
}

impl Stage {
    /// Separate processes over two Redis servers: keys with `appendfsync always`, data with `everysec`.
    pub(crate) async fn on_redis(dir: &Path) -> BenchResult<Self> {
        let mail = MailSink::start().await?;
        let (keys, keys_port) = start_redis(dir, "always")?;
        let (blobs, data_redis) = start_redis(dir, "everysec")?;
        let [kms, kms_internal, data, data_internal] =
            [free_port()?, free_port()?, free_port()?, free_port()?];
        let secret = "the secret of the bench's data service, long enough";
        let mut kms_settings = common(&mail);
        kms_settings.extend([
            ("COFFER_KMS__HTTP__BIND", binding(kms)),
            ("COFFER_KMS__HTTP__INTERNAL_BIND", binding(kms_internal)),
            ("COFFER_KMS__STORAGE__RECORDS", format!("redis://127.0.0.1:{keys_port}/0")),
            ("COFFER_KMS__KEYRING__ROOT_KEY", "5a".repeat(32)),
            ("COFFER_KMS__INTERNAL__SERVICES__DATA__SECRET", secret.to_owned()),
            ("COFFER_KMS__INTERNAL__DATA_URL", url(data_internal)),
        ]);
        let data_settings = [
            ("COFFER_DATA__LOG__LEVEL", "warn".to_owned()),
            ("COFFER_DATA__HTTP__BIND", binding(data)),
            ("COFFER_DATA__HTTP__INTERNAL_BIND", binding(data_internal)),
            ("COFFER_DATA__STORAGE__RECORDS", format!("redis://127.0.0.1:{data_redis}/0")),
            ("COFFER_DATA__STORAGE__BLOBS", format!("redis://127.0.0.1:{data_redis}/0")),
            ("COFFER_DATA__INTERNAL__SECRET", secret.to_owned()),
            ("COFFER_DATA__INTERNAL__KMS_URL", url(kms_internal)),
        ];
        kms_settings.retain(|(name, _)| name.starts_with("COFFER_KMS__"));
        let services = vec![
            ("coffer-kms", start_service("coffer-kms", &[], &kms_settings, (kms, dir))?),
            ("coffer-data", start_service("coffer-data", &[], &data_settings, (data, dir))?),
        ];
        let redis = Some(data_redis);
        Ok(Self { kms, data, kms_internal, redis, mail, services, _redis: vec![keys, blobs] })
    }

    /// One process on embedded storage.
    pub(crate) async fn embedded(dir: &Path) -> BenchResult<Self> {
        let mail = MailSink::start().await?;
        let [kms, kms_internal, data, data_internal] =
            [free_port()?, free_port()?, free_port()?, free_port()?];
        let mut settings = common(&mail);
        settings.extend([
            ("COFFER_KMS__HTTP__BIND", binding(kms)),
            ("COFFER_KMS__HTTP__INTERNAL_BIND", binding(kms_internal)),
            ("COFFER_DATA__HTTP__BIND", binding(data)),
            ("COFFER_DATA__HTTP__INTERNAL_BIND", binding(data_internal)),
            // Not measured here: any ports will do.
            ("COFFER_GATEWAY__HTTP__BIND", binding(0)),
            ("COFFER_GATEWAY__HTTP__INTERNAL_BIND", binding(0)),
        ]);
        let place = dir.join("embedded");
        let place = place.to_str().ok_or("the temporary folder is no UTF-8")?;
        let all = start_service("coffer-all", &["--data-dir", place], &settings, (data, dir))?;
        let services = vec![("coffer-all", all)];
        Ok(Self { kms, data, kms_internal, redis: None, mail, services, _redis: Vec::new() })
    }

    /// Registers somebody and logs them in; the session's `sid`.
    pub(crate) async fn log_in(&self, email: &str) -> BenchResult<String> {
        let account = json!({"email": email, "password": PASSWORD});
        expect(&ask(self.kms, &Request::post("/register", None, &account)).await?, "registration_pending")?;
        let code = json!({"email": email, "otp": self.mail.code_for(email).await?});
        expect(
            &ask(self.kms, &Request::post("/verify_register", None, &code)).await?,
            "registration_success",
        )?;
        expect(&ask(self.kms, &Request::post("/login", None, &account)).await?, "login_otp_sent")?;
        let code = json!({"email": email, "otp": self.mail.code_for(email).await?});
        let answer = ask(self.kms, &Request::post("/verify_login", None, &code)).await?;
        expect(&answer, "login_success")?;
        Ok(answer["sid"].as_str().ok_or("no sid")?.to_owned())
    }

    /// The request that begins a log-in of a registered person.
    pub(crate) fn login_request(email: &str) -> Request {
        Request::post("/login", None, &json!({"email": email, "password": PASSWORD}))
    }

    /// Prints what each service holds in memory.
    pub(crate) fn memory(&self, table: &mut Table) -> BenchResult<()> {
        // Long enough for start-up work to be over and short enough not to bore.
        std::thread::sleep(std::time::Duration::from_secs(3));
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
}

/// Fails unless the answer's message is `message`.
pub(crate) fn expect(answer: &Value, message: &str) -> BenchResult<()> {
    if answer["message"] == message {
        Ok(())
    } else {
        Err(format!("expected {message}, got {answer}").into())
    }
}

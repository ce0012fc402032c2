//! How a stack is put together.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Node, Stack};
use crate::{Mailbox, Process, RedisServer, SmtpServer, SmtpTls, binary, free_port};

/// A key for tests: 32 bytes in base64. Services refuse to start without one.
const ROOT_KEY: &str = "cGxhbnRlZC1yb290LWtleS1vZi0zMi1ieXRlcyEhISE=";
/// Talkative about Coffer's own doings, so that a failure can be understood.
const LOG_LEVEL: &str = "info,coffer=debug,coffer_kms=debug,coffer_data=debug,coffer_gateway=debug";

/// What a stack will be; [`Builder::start`] starts it.
#[derive(Debug)]
pub struct Builder {
    separate: bool,
    kms: usize,
    data: usize,
    gateways: usize,
    redis: Option<Arc<RedisServer>>,
    data_redis: Option<Arc<RedisServer>>,
    gateway_redis: Option<Arc<RedisServer>>,
    smtp: Option<Arc<SmtpServer>>,
    settings: BTreeMap<String, String>,
    default_limits: bool,
}

impl Builder {
    /// The data service's credential at the KMS.
    pub const DATA_SECRET: &str = "planted-internal-secret-of-the-data-service-5d1c";
    /// The gateway's credential at the KMS.
    pub const GATEWAY_SECRET: &str = "planted-internal-secret-of-the-gateway-91b7";

    pub(super) fn all() -> Self {
        Self {
            separate: false,
            kms: 1,
            data: 1,
            gateways: 0,
            redis: None,
            data_redis: None,
            gateway_redis: None,
            smtp: None,
            settings: BTreeMap::new(),
            default_limits: false,
        }
    }

    pub(super) fn separate() -> Self {
        Self { separate: true, ..Self::all() }
    }

    /// How many processes of each service to run over one Redis.
    #[must_use]
    pub fn replicas(mut self, kms: usize, data: usize) -> Self {
        assert!(self.separate, "coffer-all is one process");
        (self.kms, self.data) = (kms, data);
        self
    }

    /// How many gateways to run over the same Redis; none unless asked for. `coffer-all` has one in any case.
    #[must_use]
    pub fn gateways(mut self, gateways: usize) -> Self {
        assert!(self.separate, "coffer-all is one process");
        self.gateways = gateways;
        self
    }

    /// The Redis to use, else one is started.
    #[must_use]
    pub fn redis(mut self, redis: Arc<RedisServer>) -> Self {
        self.redis = Some(redis);
        self
    }

    /// A Redis for the data services alone; else they share the KMS's.
    #[must_use]
    pub fn data_redis(mut self, redis: Arc<RedisServer>) -> Self {
        self.data_redis = Some(redis);
        self
    }

    /// A Redis for the gateways alone; else they share the KMS's.
    #[must_use]
    pub fn gateway_redis(mut self, redis: Arc<RedisServer>) -> Self {
        self.gateway_redis = Some(redis);
        self
    }

    /// The SMTP server to use, else separate services get one with STARTTLS.
    #[must_use]
    pub fn smtp(mut self, smtp: Arc<SmtpServer>) -> Self {
        self.smtp = Some(smtp);
        self
    }

    /// Sets a variable of the services' environment.
    #[must_use]
    pub fn set(mut self, variable: &str, value: &str) -> Self {
        self.settings.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Sets a key for the KMS and the data service alike.
    #[must_use]
    pub fn set_both(self, key: &str, value: &str) -> Self {
        self.set(&format!("COFFER_KMS__{key}"), value).set(&format!("COFFER_DATA__{key}"), value)
    }

    /// The original's openness for its unchanged clients.
    #[must_use]
    pub fn shared_names(self) -> Self {
        self.set_both("FILES__SHARED_NAMES", "true")
    }

    /// Keeps the production limits on calls; else they are out of the tests' way.
    #[must_use]
    pub fn default_limits(mut self) -> Self {
        self.default_limits = true;
        self
    }

    /// Starts it and waits until it is ready.
    pub async fn start(mut self) -> Stack {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        if self.separate && self.smtp.is_none() {
            self.smtp = Some(Arc::new(SmtpServer::start(SmtpTls::Starttls).await));
        }
        if self.separate && self.redis.is_none() {
            self.redis = Some(Arc::new(RedisServer::start().await));
        }
        let environment = self.environment();
        let Nodes { kms, data, gateways } = if self.separate {
            self.start_separate(directory.path(), &environment)
        } else {
            start_all(directory.path(), environment)
        };
        let mailbox = match self.smtp {
            Some(smtp) => Mailbox::Smtp(smtp),
            None => Mailbox::Development(format!("{}/dev/mailbox", kms[0].internal_url)),
        };
        let stack = Stack { kms, data, gateways, mailbox, redis: self.redis, directory };
        stack.ready().await;
        stack
    }

    /// What is the same for every process. Cheap password hashes and wide limits come first, so that a
    /// test's own settings win.
    fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = BTreeMap::new();
        let mut set = |key: &str, value: &str| environment.insert(key.to_owned(), value.to_owned());
        set("COFFER_KMS__AUTH__BCRYPT_COST", "4");
        // Making key pairs ahead would only take the processor from the tests.
        set("COFFER_KMS__FILES__POOL_PAIRS", "2");
        set("COFFER_KMS__LOG__LEVEL", LOG_LEVEL);
        set("COFFER_DATA__LOG__LEVEL", LOG_LEVEL);
        set("COFFER_GATEWAY__LOG__LEVEL", LOG_LEVEL);
        if !self.default_limits {
            for limit in ["AUTH_PER_ADDRESS", "AUTH_PER_ACCOUNT", "AUTH_PER_DEVICE"] {
                set(&format!("COFFER_KMS__LIMITS__{limit}_MAX"), "100000");
            }
            for limit in ["CODES_PER_ADDRESS", "CODES_PER_ACCOUNT", "CODES_PER_DEVICE"] {
                set(&format!("COFFER_KMS__LIMITS__{limit}_MAX"), "100000");
            }
            set("COFFER_KMS__LIMITS__WRONG_CODES_PER_DAY_MAX", "100000");
        }
        if let Some(smtp) = &self.smtp {
            set("COFFER_KMS__SMTP__HOST", "localhost");
            set("COFFER_KMS__SMTP__PORT", &smtp.port.to_string());
            set("COFFER_KMS__SMTP__TLS", smtp.tls.setting());
            set("COFFER_KMS__SMTP__USERNAME", SmtpServer::USER);
            set("COFFER_KMS__SMTP__PASSWORD", SmtpServer::PASSWORD);
            set("COFFER_KMS__SMTP__FROM", "Coffer <coffer@example.com>");
            set("COFFER_KMS__SMTP__CA_FILE", &smtp.authority().display().to_string());
        }
        environment.extend(self.settings.clone());
        environment
    }

    fn start_separate(&self, directory: &Path, environment: &BTreeMap<String, String>) -> Nodes {
        let redis = self.redis.as_ref().expect("separate services have one");
        let data_redis = self.data_redis.as_ref().unwrap_or(redis);
        let gateway_redis = self.gateway_redis.as_ref().unwrap_or(redis);
        let (kms_ports, data_ports) = (Ports::many(self.kms), Ports::many(self.data));
        let gateway_ports = Ports::many(self.gateways);
        let start = |service: &str, number: usize, ports: &Ports, own: &[(&str, String)]| {
            let mut settings = ports.settings(service);
            let key = |key: &str| format!("COFFER_{}__{key}", service.to_uppercase());
            settings.extend(own.iter().map(|(name, value)| (key(name), value.clone())));
            settings.extend(environment.clone());
            let log = directory.join(format!("{service}-{number}.log"));
            let process = Process::new(binary(&format!("coffer-{service}")), log).envs(&settings);
            process.start();
            ports.node(Arc::new(process))
        };
        let kms = kms_ports.iter().enumerate().map(|(number, ports)| {
            let own = [
                ("STORAGE__RECORDS", redis.url(0)),
                ("KEYRING__ROOT_KEY", ROOT_KEY.to_owned()),
                ("INTERNAL__DATA_URL", data_ports[number % data_ports.len()].internal_url()),
                ("INTERNAL__SERVICES__DATA__SECRET", Self::DATA_SECRET.to_owned()),
                ("INTERNAL__SERVICES__GATEWAY__SECRET", Self::GATEWAY_SECRET.to_owned()),
            ];
            start("kms", number, ports, &own)
        });
        let kms = kms.collect();
        let data = data_ports.iter().enumerate().map(|(number, ports)| {
            let own = [
                ("STORAGE__RECORDS", data_redis.url(1)),
                ("STORAGE__BLOBS", data_redis.url(1)),
                ("INTERNAL__KMS_URL", kms_ports[number % kms_ports.len()].internal_url()),
                ("INTERNAL__SECRET", Self::DATA_SECRET.to_owned()),
            ];
            start("data", number, ports, &own)
        });
        let data = data.collect();
        let gateways = gateway_ports.iter().enumerate().map(|(number, ports)| {
            let (kms, data) = (&kms_ports[number % kms_ports.len()], &data_ports[number % data_ports.len()]);
            let own = [
                ("STORAGE__RECORDS", gateway_redis.url(2)),
                ("INTERNAL__KMS_URL", kms.internal_url()),
                ("INTERNAL__SECRET", Self::GATEWAY_SECRET.to_owned()),
                ("UPSTREAM__KMS_URL", kms.url()),
                ("UPSTREAM__DATA_URL", data.url()),
            ];
            start("gateway", number, ports, &own)
        });
        let gateways = gateways.collect();
        Nodes { kms, data, gateways }
    }
}

/// What runs.
struct Nodes {
    kms: Vec<Node>,
    data: Vec<Node>,
    gateways: Vec<Node>,
}

fn start_all(directory: &Path, mut environment: BTreeMap<String, String>) -> Nodes {
    let (kms, data, gateway) = (Ports::new(), Ports::new(), Ports::new());
    environment.extend(kms.settings("kms"));
    environment.extend(data.settings("data"));
    environment.extend(gateway.settings("gateway"));
    let storage = directory.join("data");
    fs::create_dir(&storage).expect("the directory is new");
    let process = Process::new(binary("coffer-all"), directory.join("all.log"))
        .args(["--data-dir".as_ref(), storage.as_os_str()])
        .envs(&environment);
    process.start();
    let process = Arc::new(process);
    Nodes {
        kms: vec![kms.node(Arc::clone(&process))],
        data: vec![data.node(Arc::clone(&process))],
        gateways: vec![gateway.node(process)],
    }
}

/// The two listeners of one service.
struct Ports {
    public: u16,
    internal: u16,
}

impl Ports {
    fn new() -> Self {
        Self { public: free_port(), internal: free_port() }
    }

    fn many(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new()).collect()
    }

    fn settings(&self, service: &str) -> BTreeMap<String, String> {
        let key = |key: &str| format!("COFFER_{}__HTTP__{key}", service.to_uppercase());
        let address = |port: u16| format!("127.0.0.1:{port}");
        [(key("BIND"), address(self.public)), (key("INTERNAL_BIND"), address(self.internal))].into()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.public)
    }

    fn internal_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.internal)
    }

    fn node(&self, process: Arc<Process>) -> Node {
        Node { process, url: self.url(), internal_url: self.internal_url() }
    }
}

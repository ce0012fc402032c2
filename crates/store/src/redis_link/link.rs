//! One shared connection that is made anew after it was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, PushInfo, PushKind, RedisError,
    Value,
};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::RedisSettings;
use crate::records::StoreError;

/// How long connecting may take, with TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an answer may take; a sync of the server's file included.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
/// After connecting failed, callers are told so at once for this long.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// Commands that wait to be sent; the rest waits at the door.
const WAITING_MAX: usize = 512;
/// Bytes that are gathered before they are sent, so that one write takes many commands.
const WRITE_BYTES: usize = 64 * 1024;

/// Why a command has no answer.
#[derive(Clone, Debug)]
pub(crate) enum LinkError {
    /// There is no connection, so it was not sent.
    NotSent(RedisError),
    /// It was sent and the connection was lost, or no answer came in time.
    Lost(RedisError),
    /// The server answered with an error, so it was not done.
    Refused(RedisError),
    /// It was done, but too few replicas have confirmed it.
    Unconfirmed {
        /// Replicas that have.
        confirmed: usize,
        /// Replicas that must.
        wanted: usize,
    },
}

impl LinkError {
    /// Whether the server does not take our user name or password.
    pub(crate) fn is_denied(&self) -> bool {
        let (Self::NotSent(err) | Self::Refused(err)) = self else { return false };
        err.kind() == ErrorKind::AuthenticationFailed || matches!(err.code(), Some("NOAUTH" | "WRONGPASS"))
    }

    /// As the outcome of something that changes nothing.
    pub(crate) fn of_read(self, doing: &'static str) -> StoreError {
        let (Self::NotSent(err) | Self::Lost(err) | Self::Refused(err)) = self else {
            return self.of_write(doing);
        };
        StoreError::Unavailable { doing, source: Box::new(err) }
    }

    /// As the outcome of a write.
    pub(crate) fn of_write(self, doing: &'static str) -> StoreError {
        match self {
            Self::NotSent(err) | Self::Refused(err) => {
                StoreError::Unavailable { doing, source: Box::new(err) }
            }
            Self::Lost(err) => StoreError::OutcomeUnknown { doing, source: Box::new(err) },
            Self::Unconfirmed { confirmed, wanted } => {
                let source = format!("{confirmed} of {wanted} replicas have confirmed it").into();
                StoreError::OutcomeUnknown { doing, source }
            }
        }
    }
}

pub(crate) struct Link {
    client: Client,
    /// Connections live on the runtime that opened the store, not on that of whoever found one lost.
    runtime: Handle,
    current: ArcSwapOption<Live>,
    /// Held while connecting; why it last failed, and until when that is the answer.
    connecting: Mutex<Option<(Instant, RedisError)>>,
}

struct Live {
    connection: MultiplexedConnection,
    /// Set by the connection itself when it ends, so that no command is sent into a dead one.
    ended: Arc<AtomicBool>,
}

impl Link {
    pub(crate) fn new(settings: &RedisSettings) -> Self {
        Self {
            client: settings.client.clone(),
            runtime: Handle::current(),
            current: ArcSwapOption::empty(),
            connecting: Mutex::new(None),
        }
    }

    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, LinkError> {
        let live = self.live().await?;
        let answer = command.query_async(&mut live.connection.clone()).await;
        answer.map_err(|err| Self::failed(&live, err))
    }

    pub(crate) async fn send_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, LinkError> {
        let live = self.live().await?;
        let answer = commands.query_async(&mut live.connection.clone()).await;
        answer.map_err(|err| Self::failed(&live, err))
    }

    fn failed(live: &Live, err: RedisError) -> LinkError {
        if err.code().is_some() {
            return LinkError::Refused(err);
        }
        // A connection that does not answer in time is given up too: it may be half open.
        live.ended.store(true, Ordering::Release);
        LinkError::Lost(err)
    }

    fn usable(&self) -> Option<Arc<Live>> {
        self.current.load_full().filter(|live| !live.ended.load(Ordering::Acquire))
    }

    async fn live(&self) -> Result<Arc<Live>, LinkError> {
        if let Some(live) = self.usable() {
            return Ok(live);
        }
        let mut failure = self.connecting.lock().await;
        if let Some(live) = self.usable() {
            return Ok(live);
        }
        if let Some((until, err)) = &*failure
            && Instant::now() < *until
        {
            return Err(LinkError::NotSent(err.clone()));
        }
        match self.connect().await {
            Ok(live) => {
                let live = Arc::new(live);
                self.current.store(Some(Arc::clone(&live)));
                *failure = None;
                Ok(live)
            }
            Err(err) => {
                *failure = Some((Instant::now() + RETRY_PAUSE, err.clone()));
                Err(LinkError::NotSent(err))
            }
        }
    }

    async fn connect(&self) -> Result<Live, RedisError> {
        let ended = Arc::new(AtomicBool::new(false));
        let notice = Arc::clone(&ended);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(WAITING_MAX)
            .set_write_backpressure_boundary(WRITE_BYTES)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    notice.store(true, Ordering::Release);
                }
                Ok::<(), redis::aio::SendError>(())
            });
        let client = self.client.clone();
        let connecting = self
            .runtime
            .spawn(async move { client.get_multiplexed_async_connection_with_config(&config).await });
        let connection = connecting.await.map_err(std::io::Error::other)??;
        Ok(Live { connection, ended })
    }
}

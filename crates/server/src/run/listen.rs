//! A listener: connections that do not wait for ever, with an application behind them.
//!
//! Road not taken: `HttpServer` of actix-web. It is made of the same parts, but accepts no streams of others, and a
//! connection's waits can only be bounded at its stream (see [`patient`](super::patient)).

use std::fmt;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::{GracefulShutdownSignal, Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_web::Error;
use actix_web::dev::AppConfig;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

use super::patient::{Patience, Patient};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 2048;
/// How long an idle connection is kept. Longer than balancers and clients keep theirs: whoever closes first while a
/// request is on its way loses that request, and nobody may repeat it unless it changes nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to notice that his connection is being closed, and read what came before.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How a listener serves.
pub(super) struct Listen {
    /// Threads; 0 means one for each core.
    pub(super) workers: usize,
    pub(super) connections_per_worker_max: usize,
    pub(super) stop_within: Duration,
    pub(super) tls: Option<ServerConfig>,
    pub(super) limits: Patience,
}

/// A socket at `address`.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A service that starts anew must not wait for its old connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

type Accepted<IO> = (Patient<IO>, Protocol, Option<SocketAddr>);

impl Listen {
    /// Serves what `make_app` makes, once for each worker.
    pub(super) fn start<F, I, S, B>(self, listener: TcpListener, make_app: F) -> io::Result<Server>
    where
        F: Fn() -> I + Clone + Send + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error>,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>>,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        let mut builder = ServerBuilder::new()
            .disable_signals()
            .shutdown_timeout(self.stop_within.as_secs())
            .max_concurrent_connections(self.connections_per_worker_max);
        if self.workers > 0 {
            builder = builder.workers(self.workers);
        }
        let (stopping, limits) = (builder.graceful_shutdown_signal(), self.limits);
        let builder = match self.tls {
            None => builder.listen("http", listener, move || {
                fn_service(move |stream: TcpStream| ready(Ok(accepted(stream, TcpStream::peer_addr, limits))))
                    .and_then(http(make_app(), stopping.clone()))
            }),
            Some(mut tls) => {
                tls.alpn_protocols = vec![b"http/1.1".to_vec()];
                builder.listen("https", listener, move || {
                    let peer = |stream: &TlsStream<TcpStream>| stream.get_ref().0.peer_addr();
                    Acceptor::new(tls.clone())
                        .map_err(drop)
                        .map_init_err(drop)
                        .and_then(move |stream| ready(Ok(accepted(stream, peer, limits))))
                        .and_then(http(make_app(), stopping.clone()))
                })
            }
        };
        Ok(builder?.run())
    }
}

fn accepted<IO>(stream: IO, peer: impl Fn(&IO) -> io::Result<SocketAddr>, limits: Patience) -> Accepted<IO> {
    let peer = peer(&stream).ok();
    (Patient::new(stream, limits), Protocol::Http1, peer)
}

/// The HTTP layer of one worker. What ends a connection early concerns nobody but its client.
fn http<IO, I, S, B>(
    app: I,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<Accepted<IO>, Config = (), Response = (), Error = (), InitError = ()>
where
    IO: AsyncRead + AsyncWrite + Unpin + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error>,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>>,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let app = app.into_factory().map_err(|error| error.into().error_response());
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        // The stream bounds the time of a head. Here it would be looked at before what has arrived, and by a clock that
        // stands still while the thread is busy: whoever sent everything in time would be told that he was too slow.
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(CLOSE_WITHIN)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|stream: &Patient<IO>, data| {
            data.insert(stream.presence());
        })
        .finish(map_config(app, |()| AppConfig::default()))
        .map_err(drop)
}

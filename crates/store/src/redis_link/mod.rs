//! Connections to a Redis server, for records and for blobs.
//!
//! Commands of all callers go over a few shared connections, each of which sends what waits in one write
//! and reads the answers as they come: measured, that is twice as fast as taking a connection from a pool
//! for each request. A lost connection is made anew by whoever needs it next; until then every caller is
//! answered quickly that the server is not there, and none waits longer than the limits in [`link`].

mod lane;
mod link;
mod script;
mod settings;
mod start_up;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use redis::{Cmd, FromRedisValue, Pipeline, Value, cmd};

use crate::records::StoreError;

pub(crate) use self::lane::Lane;
pub(crate) use self::link::{Link, LinkError};
pub(crate) use self::script::Script;
pub(crate) use self::settings::RedisSettings;

/// A few shared connections to one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Links(Arc<Inner>);

struct Inner {
    links: Vec<Link>,
    next: AtomicUsize,
    /// Whether the server was found to keep what it promises. Nothing is sent before.
    is_checked: AtomicBool,
    /// Where writes go that replicas must confirm.
    lane: Option<Lane>,
}

impl Links {
    /// Connects and checks that the server keeps what it promises. If it is away for longer than a start should take,
    /// and the settings say that it may be, it is waited for in the background; until then it counts as unavailable.
    pub(crate) async fn open(settings: &RedisSettings, connections: usize) -> Result<Self, StoreError> {
        let links: Vec<_> = (0..connections).map(|_| Link::new(settings)).collect();
        let links = Self(Arc::new(Inner {
            links,
            next: AtomicUsize::new(0),
            is_checked: AtomicBool::new(false),
            lane: settings.wait_replicas.map(|replicas| Lane::start(Link::new(settings), replicas)),
        }));
        match start_up::check(&links, settings).await {
            Ok(()) => links.0.is_checked.store(true, Ordering::Release),
            Err(error @ StoreError::Unavailable { .. })
                if settings.may_be_away && !start_up::is_stranger(&error) =>
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "started without the Redis server");
                tokio::spawn(start_up::wait(Arc::downgrade(&links.0), settings.clone()));
            }
            Err(error) => return Err(error),
        }
        Ok(links)
    }

    /// Whether commands may be sent.
    fn admit(&self) -> Result<(), LinkError> {
        if self.0.is_checked.load(Ordering::Acquire) {
            return Ok(());
        }
        let why = std::io::Error::other(
            "the server has not been there since the start, or may lose what it answers",
        );
        Err(LinkError::NotSent(why.into()))
    }

    fn link(&self) -> &Link {
        let next = self.0.next.fetch_add(1, Ordering::Relaxed);
        &self.0.links[next % self.0.links.len()]
    }

    /// Sends a command that changes nothing, or whose change need not be confirmed by replicas.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, LinkError> {
        self.admit()?;
        let answer = self.link().send(command).await?;
        T::from_redis_value(answer).map_err(|err| LinkError::Refused(err.into()))
    }

    /// Sends several commands in one go.
    pub(crate) async fn query_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, LinkError> {
        self.admit()?;
        self.link().send_all(commands).await
    }

    /// Sends a write; answered when it is as durable as configured.
    pub(crate) async fn write(&self, command: &Cmd) -> Result<Value, LinkError> {
        self.admit()?;
        match &self.0.lane {
            Some(lane) => lane.write(command.clone()).await,
            None => self.link().send(command).await,
        }
    }

    /// Asks each connection for a sign of life. One of them may have found the server again while another still
    /// answers that it is lost: whoever is told that the server is there must not be refused a moment later.
    pub(crate) async fn ping(&self) -> Result<(), LinkError> {
        self.admit()?;
        for link in &self.0.links {
            link.send(&cmd("PING")).await?;
        }
        Ok(())
    }

    /// Runs a script that writes.
    pub(crate) async fn run(&self, script: &Script, command: &Cmd) -> Result<Value, LinkError> {
        match self.write(command).await {
            // The server has restarted or forgotten its scripts; the command was not run.
            Err(LinkError::Refused(err)) if Script::is_unknown(&err) => {
                self.query::<Value>(&script.load()).await?;
                self.write(command).await
            }
            answer => answer,
        }
    }
}

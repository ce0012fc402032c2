//! Scripts, sent by their hash.

use redis::{Cmd, RedisError, cmd};

pub(crate) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    /// A call of the script, to which its keys and then its arguments are added.
    pub(crate) fn call(&self, keys: usize) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(&self.hash).arg(keys);
        call
    }

    pub(crate) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(self.code);
        load
    }

    pub(crate) fn is_unknown(err: &RedisError) -> bool {
        err.code() == Some("NOSCRIPT")
    }
}

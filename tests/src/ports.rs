//! Free loopback ports.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that Linux takes for outgoing connections, so that nobody else grabs a port between
/// its choice and its use, and a restarted service finds it free.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on 127.0.0.1 that nothing listens on, and that no other test of this process is given.
pub fn free_port() -> u16 {
    // Other test processes start elsewhere in the range.
    let start = u16::try_from(std::process::id().wrapping_mul(331) % u32::from(COUNT)).unwrap_or(0);
    for _ in 0..COUNT {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + offset;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on loopback");
}

/// Settings by which `coffer-all` takes whatever ports are free.
pub fn any_ports() -> BTreeMap<String, String> {
    let listeners = ["KMS", "DATA", "GATEWAY"].into_iter().flat_map(|service| {
        ["BIND", "INTERNAL_BIND"].map(|listener| format!("COFFER_{service}__HTTP__{listener}"))
    });
    listeners.map(|variable| (variable, "127.0.0.1:0".to_owned())).collect()
}

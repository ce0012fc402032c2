//! Where a request comes from.
//!
//! `X-Forwarded-For` is what anybody may write, so it is read only when the peer is one of our own
//! proxies, and only back to the first address that is not. The gateway, which passes requests on, says
//! whose they are in a header of its own, and proves by a service token that it may: wherever it stands,
//! nobody else can.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use coffer_api::paths::headers::{CLIENT_ADDRESS, SERVICE_TOKEN};
use coffer_auth::service_token::ServiceName;
use futures_util::future::{Ready, ready};
use serde::{Deserialize, Deserializer};

use crate::scaffold::Scaffold;
use crate::service_caller::verify;
use crate::settings::List;

/// Most addresses that are read of one `X-Forwarded-For`.
const HOPS_MAX: usize = 16;

/// A network in CIDR notation, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a network, such as 10.0.0.0/8")]
pub struct NetworkError;

impl Network {
    /// Whether `address` lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let ((own, own_width), (other, other_width)) = (bits(self.address), bits(address.to_canonical()));
        let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_bits)).unwrap_or(0);
        own_width == other_width && own & mask == other & mask
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Ok(width), str::parse).map_err(|_| NetworkError)?;
        if prefix_bits > width {
            return Err(NetworkError);
        }
        Ok(Self { address, prefix_bits })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The networks of our own proxies.
pub type Networks = List<Network>;

/// The address of the client, as well as it can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What counts as one client for limits: an IPv4 address, or the /64 that an IPv6 host owns whole.
    pub fn limit_key(&self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Walks from the peer outwards as long as the addresses are ours.
fn client(peer: IpAddr, forwarded: Option<&str>, proxies: &Networks) -> IpAddr {
    let ours = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut address = peer.to_canonical();
    for hop in forwarded.into_iter().flat_map(|text| text.rsplit(',')).take(HOPS_MAX) {
        if !ours(address) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

/// The address that the gateway vouches for, if it is the gateway.
fn vouched(request: &HttpRequest, scaffold: &Scaffold) -> Option<IpAddr> {
    let text = |name| request.headers().get(name)?.to_str().ok();
    let address: IpAddr = text(CLIENT_ADDRESS)?.parse().ok()?;
    let caller = verify(scaffold, text(SERVICE_TOKEN)?).ok()?;
    (caller.service == ServiceName::Gateway).then(|| address.to_canonical())
}

impl FromRequest for ClientAddress {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let Ok(scaffold) = Scaffold::of(request) else { return ready(Ok(Self(peer))) };
        if let Some(address) = vouched(request, scaffold) {
            return ready(Ok(Self(address)));
        }
        if scaffold.trusted_proxies.is_empty() {
            return ready(Ok(Self(peer.to_canonical())));
        }
        // Several header lines mean the same as one line joined with commas; only a proxy of ours could
        // have added the last, so that is the one that is read.
        let forwarded = request.headers().get_all("x-forwarded-for").last();
        let forwarded = forwarded.and_then(|value| value.to_str().ok());
        ready(Ok(Self(client(peer, forwarded, &scaffold.trusted_proxies))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains(address("10.1.255.3")));
        assert!(network.contains(address("::ffff:10.1.2.3")));
        assert!(!network.contains(address("10.2.0.1")));
        assert!(!network.contains(address("fe80::1")));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains(address("1.2.3.4")) && !all.contains(address("::1")));
        assert!("10.0.0.0/33".parse::<Network>().is_err() && "ten".parse::<Network>().is_err());
    }

    #[test]
    fn a_forwarded_address_counts_only_when_a_proxy_of_ours_says_it() {
        let proxies = List::from(vec!["10.0.0.0/8".parse().unwrap()]);
        let of = |peer, forwarded| client(address(peer), forwarded, &proxies);
        assert_eq!(of("192.0.2.1", Some("1.1.1.1")), address("192.0.2.1"));
        assert_eq!(of("10.0.0.1", Some("1.1.1.1")), address("1.1.1.1"));
        assert_eq!(of("10.0.0.1", Some("6.6.6.6, 1.1.1.1, 10.0.0.2")), address("1.1.1.1"));
        assert_eq!(of("10.0.0.1", Some("nonsense")), address("10.0.0.1"));
        assert_eq!(of("10.0.0.1", None), address("10.0.0.1"));
    }

    #[test]
    fn an_ipv6_host_counts_as_its_whole_network() {
        let one = ClientAddress(address("2001:db8::1"));
        let other = ClientAddress(address("2001:db8::2:3"));
        assert_eq!(one.limit_key(), other.limit_key());
    }
}

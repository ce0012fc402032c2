//! Who is asking, before anybody knows who that is.

use std::net::IpAddr;

use coffer_auth::token::OpaqueToken;
use coffer_crypto::index::IndexKey;

use crate::domain::events::Origin;
use crate::repo::user::Known;

/// Which surface a request came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Coffer's own.
    Native,
    /// The file contract: a log-in always needs a code, and knows no devices.
    Contract,
    /// The key-value contract, by user name: a code where `auth.email_otp` asks for one, and no devices.
    Names,
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct Client {
    /// The network address and the request.
    pub origin: Origin,
    /// The hash of the device's token, if one was sent.
    pub device: Option<[u8; 32]>,
    /// The surface.
    pub surface: Surface,
}

impl Client {
    /// A client of `surface` that comes from `origin`, without a device.
    pub fn new(origin: Origin, surface: Surface) -> Self {
        Self { origin, device: None, surface }
    }

    /// The same client on the device whose token this is. What is no token is no device.
    #[must_use]
    pub fn with_device(self, token: Option<&str>) -> Self {
        let device = token.and_then(OpaqueToken::parse).map(|token| token.hash());
        Self { device, ..self }
    }

    /// Where the client comes from, in the form in which it is kept.
    pub(super) fn place(&self, index: &IndexKey) -> Known {
        Known { address: blind_network(index, self.origin.address), device: self.device }
    }
}

/// A network address, blinded. One customer usually has a whole /64 of IPv6, so that counts as one.
fn blind_network(index: &IndexKey, address: Option<IpAddr>) -> [u8; 32] {
    let bytes = match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(v4)) => v4.octets().to_vec(),
        Some(IpAddr::V6(v6)) => v6.octets()[..8].to_vec(),
        None => Vec::new(),
    };
    index.blind("network address", &bytes)
}

#[cfg(test)]
mod tests {
    use coffer_crypto::root::RootKey;

    use super::*;

    #[test]
    fn one_customer_s_ipv6_addresses_count_as_one_and_mapped_ipv4_as_ipv4() {
        let index = RootKey::from_bytes(&[7; 32]).unwrap().derive_index_key();
        let of = |text: &str| blind_network(&index, Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}

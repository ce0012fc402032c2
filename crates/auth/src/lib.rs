//! Who may do what, and how they prove it. Policy without I/O: nothing here talks to a network or a store.
//!
//! What takes long (bcrypt) runs on threads of its own ([`workers`]), so that log-ins never starve other
//! requests.

pub mod code;
pub mod password;
pub mod principal;
pub mod service_token;
pub mod token;
pub mod workers;

pub use principal::{Permission, Principal, permission};

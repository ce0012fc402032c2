//! Who may do what, and how they prove it. Policy without I/O: nothing here talks to a network or a store.

pub mod principal;
pub mod service_token;

pub use principal::{Permission, Principal, permission};

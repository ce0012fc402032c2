//! Where everything of the KMS stands in the record store, and in which form.
//!
//! One module for each kind of record; each writes its records with named fields, so that an older
//! record stays readable when a field is added.

pub mod address;
pub mod events;
pub mod feed;
pub mod files;
pub mod keyring;
pub mod limit;
pub mod mail;
pub mod pool;
pub mod rotations;
pub mod session;
pub mod tables;
pub mod user;
pub mod user_name;
pub mod user_number;

//! Where everything of the KMS stands in the record store, and in which form.
//!
//! One module for each kind of record; each writes its records with named fields, so that an older
//! record stays readable when a field is added.

pub mod events;
pub mod feed;
pub mod keyring;
pub mod tables;

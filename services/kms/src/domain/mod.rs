//! The rules of the KMS, without HTTP and without bytes at rest.

pub mod identity;

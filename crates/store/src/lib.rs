//! Where Coffer keeps things: [`records`] for what must commit together, [`blobs`] for large ciphertext.

pub mod records;

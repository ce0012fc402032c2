//! Every row of the file contract, and every line where Coffer differs from the original.

mod data;
mod grants;
mod keys;
mod login;
mod registration;
mod sessions;
mod shared_names;

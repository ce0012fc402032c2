//! The native surface, as far as no row of the file contract covers it.

mod accounts;
mod files;
mod passwords;
mod second_factor;

pub(crate) use accounts::{administrator, set_role};

//! HTTP in and out. Handlers say who may call, what they take and what they give; then make one call.

pub mod events;
pub mod file_keys;
pub mod internal;

#[cfg(test)]
mod tests;

//! Bad input: every endpoint answers a 4xx that names the field, stores nothing and tells nothing.

mod bodies;
mod endpoints;
mod fields;

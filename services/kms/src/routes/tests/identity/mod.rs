//! Users over HTTP, on the service as it is served.

mod administration;
mod contract;
mod internal;
mod kms;
mod native;

use kms::{Kms, PASSWORD};

//! Every rule of identity, on records in memory, with a clock that stands still.

mod crashes;
mod guessing;
mod house;
mod lately;
mod limits;
mod log_in;
mod names;
mod passwords;
mod registration;
mod same_work;
mod sessions;
mod users;

use house::{ANN, House, PASSWORD, at, password, wrong};

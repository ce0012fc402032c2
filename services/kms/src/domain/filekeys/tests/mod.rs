//! File keys as users meet them, on one store and any number of processes.

mod crashes;
mod creating;
mod folders;
mod granting;
mod lately;
mod releasing;
mod resolving;
mod rotating;
mod shared_names;
mod versions;
mod world;

mod bed;
mod contract;
mod crashes;
mod keeping;
mod model;
mod native;
mod rekey;
mod watching;

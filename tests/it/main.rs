//! Black-box tests of running services. A module is a surface or a journey.

mod contract;
mod harness;
mod journey;

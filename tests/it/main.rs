//! Black-box tests of running services. A module is a surface or a journey.

mod contract;
mod crash;
mod data;
mod deploy;
mod gateway;
mod guessing;
mod harness;
mod input;
mod journey;
mod native;
mod operations;
mod replicas;
mod secrets;
mod timing;

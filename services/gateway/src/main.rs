//! `coffer-gateway`: the gateway as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    coffer_server::main::<coffer_gateway::GatewayService>()
}

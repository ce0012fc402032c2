//! `scripts/bench`: figures of Coffer, each beside its limit measured in the same run on the same machine.
//!
//! The limit is what the same work costs without Coffer: the raw primitive, the raw back end, or a bare
//! handler that answers the same bytes. Shared machines drift, so ratios within one run are what counts.
//! Loads are bounded in count and time and go to loopback only.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program whose output is its result")]

mod bare;
mod configs;
mod files;
mod http;
mod kv;
mod load;
mod primitives;
mod servers;
mod smtp;
mod stage;
mod table;

/// What went wrong, in words for whoever runs the bench.
pub(crate) type BenchResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next().as_deref() {
        Some("files") if arguments.next().as_deref() == Some("unwrap") => files::run_unwrap(),
        Some("files") => files::run(),
        Some("kv") => kv::run(arguments.next().as_deref()),
        Some("configs") => configs::run(arguments.next().as_deref()),
        // The bare server is this program again, so that it is a process of its own like a service.
        Some("bare") => bare::serve(arguments.next().as_deref()),
        _ => Err("usage: coffer-bench files [unwrap] | kv [redis | sqlite | small] | configs [redis | sqlite | small]".into()),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

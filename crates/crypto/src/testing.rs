//! For tests, also those of other crates: whether a secret is anywhere in the memory of this process.
//!
//! What is looked for is given masked, so that neither the test nor the search is what is found.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;

use zeroize::Zeroizing;

/// What every byte of a masked secret is combined with, exclusively.
pub const MASK: u8 = 0x5a;
/// Bytes of a secret that is looked for.
pub const SECRET_BYTES: usize = 32;
const CHUNK_BYTES: usize = 1 << 20;

/// How often each of these masked secrets is in the writable memory of this process: heap, stacks of all threads, data.
pub fn times_in_memory(masked: &[[u8; SECRET_BYTES]]) -> io::Result<Vec<usize>> {
    let memory = File::open("/proc/self/mem")?;
    let (mut times, mut chunk) = (vec![0; masked.len()], Zeroizing::new(vec![0; CHUNK_BYTES]));
    let own = chunk.as_ptr().addr() as u64;
    // Around what is read into: it has copies of what was found.
    let around =
        |(from, until): (u64, u64)| [(from, until.min(own)), (from.max(own + CHUNK_BYTES as u64), until)];
    for (from, until) in writable()?.into_iter().flat_map(around) {
        let mut at = from;
        while at < until {
            let length = CHUNK_BYTES.min(usize::try_from(until - at).unwrap_or(CHUNK_BYTES));
            // What was unmapped meanwhile, or is no memory, has nothing in it.
            if memory.read_exact_at(&mut chunk[..length], at).is_ok() {
                for (times, masked) in times.iter_mut().zip(masked) {
                    *times += times_in(&chunk[..length], masked);
                }
            }
            let overlap = if length == CHUNK_BYTES { SECRET_BYTES - 1 } else { 0 };
            at += (length - overlap) as u64;
        }
    }
    Ok(times)
}

fn times_in(memory: &[u8], masked: &[u8; SECRET_BYTES]) -> usize {
    let first = masked[0] ^ MASK;
    let is_it =
        |at: &[u8]| at[0] == first && at.iter().zip(masked).all(|(byte, masked)| byte ^ MASK == *masked);
    memory.windows(SECRET_BYTES).filter(|window| is_it(window)).count()
}

/// From where to where writable memory is mapped.
fn writable() -> io::Result<Vec<(u64, u64)>> {
    let mapped = fs::read_to_string("/proc/self/maps")?;
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (from, until) = range.split_once('-')?;
        let parse = |text| u64::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some((parse(from)?, parse(until)?))
    };
    Ok(mapped.lines().filter_map(range).collect())
}

//! Work that leaves no keys on the stack.
//!
//! A key that is boxed is wiped where it lies. But what makes it (an engine's constructors that give a key schedule by
//! value, the states of hashes) passes over the stack, and what a function leaves there stays until another one comes
//! as deep: on the stack of a thread that waits, for hours. So keys are made in one call that overwrites what it used.
//!
//! This is best effort, as everything of this kind is: registers and what the operating system set aside are out of
//! reach. A test looks through the memory of its process (`tests/wiping.rs`).

use std::hint::black_box;

use zeroize::Zeroize as _;

/// Deeper than any function here goes, in 8 bytes: 32 KiB.
const WORDS: usize = 4096;

/// Does work, and wipes the stack that it used. What it gives must hold its secrets elsewhere: in a box.
pub(super) fn on_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    let done = run(work);
    wipe();
    done
}

/// A frame of its own, which begins where that of [`wipe`] will begin.
#[inline(never)]
fn run<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

#[expect(clippy::large_stack_arrays, reason = "it is the stack that is to be overwritten")]
#[inline(never)]
fn wipe() {
    let mut stack = [0_u64; WORDS];
    black_box(&mut stack).zeroize();
}

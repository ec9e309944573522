//! How a thread is started here: with a name, with a stack of a known size, and with a handle
//! that somebody joins.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Stack of every thread in bytes. serde_json recurses up to the depth that a frame may have,
/// and a stack overflow ends the process; only what is touched costs memory.
pub const STACK_BYTES: usize = 256 * 1024;

/// Starts a thread called `name`.
///
/// # Errors
/// When the operating system has no thread to give.
pub fn start<T: Send + 'static>(
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(run)
}

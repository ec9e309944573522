//! The one place where threads are made: each has a name, and a guard that joins it.

use std::io;
use std::thread::JoinHandle;

/// A running thread. Dropping it waits for the thread's end, so whoever owns one first makes
/// sure that the thread has a reason to end.
#[derive(Debug)]
pub struct Joined(Option<JoinHandle<()>>);

/// Starts a named thread.
///
/// # Errors
/// The system has no room for one more.
pub fn start(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<Joined> {
    let handle = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
    Ok(Joined(Some(handle)))
}

impl Joined {
    /// True once the thread has come to its end.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Joined {
    /// Lets the thread come to its end without anybody waiting for it.
    pub fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take()
            && handle.join().is_err()
        {
            // The panic hook has said what and where.
            log::error!("a thread ended in a panic");
        }
    }
}

//! Where tokens are kept when the system has a keyring: one entry per session. Without one, or
//! with one that does not answer, they stay in the archive as they were.
//!
//! 1. A keyring MUST never hold the archive up for long: it may wait for somebody to unlock it,
//!    for ever. So it has a thread of its own, `keyring`, and a bounded time for each answer.
//! 2. One that was too slow once is left alone until the app starts again.
//!
//! Invariant: no secret is ever logged.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use crate::model::limits::KEYRING_MILLIS;
use crate::threads::{self, Joined};

/// Under which the entries are found in the system's keyring.
const PROGRAM: &str = "Parlor";

/// There is no keyring, or it is locked, or it does not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the keyring does not answer")]
pub struct Shut;

/// A place for secrets, each under a name.
pub trait Keyring: Send {
    /// # Errors
    /// [`Shut`]; the secret may be there all the same.
    fn get(&mut self, entry: &str) -> Result<Option<Vec<u8>>, Shut>;
    /// # Errors
    /// [`Shut`]; the secret may have been kept or not.
    fn set(&mut self, entry: &str, secret: &[u8]) -> Result<(), Shut>;
    /// Forgets a secret, where there is one.
    ///
    /// # Errors
    /// [`Shut`].
    fn delete(&mut self, entry: &str) -> Result<(), Shut>;
}

/// What is there where there is none.
#[derive(Clone, Copy, Debug)]
pub struct NoKeyring;

impl Keyring for NoKeyring {
    fn get(&mut self, _entry: &str) -> Result<Option<Vec<u8>>, Shut> {
        Err(Shut)
    }

    fn set(&mut self, _entry: &str, _secret: &[u8]) -> Result<(), Shut> {
        Err(Shut)
    }

    fn delete(&mut self, _entry: &str) -> Result<(), Shut> {
        Err(Shut)
    }
}

/// The system's: Secret Service, Keychain or Credential Manager. Takes as long as it likes.
#[derive(Clone, Copy, Debug)]
struct SystemKeyring;

fn entry(name: &str) -> Result<keyring::Entry, Shut> {
    keyring::Entry::new(PROGRAM, name).map_err(|error| shut(&error))
}

fn shut(error: &keyring::Error) -> Shut {
    log::debug!("the keyring is not used: {error}");
    Shut
}

impl Keyring for SystemKeyring {
    fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>, Shut> {
        match entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(shut(&error)),
        }
    }

    fn set(&mut self, name: &str, secret: &[u8]) -> Result<(), Shut> {
        entry(name)?.set_secret(secret).map_err(|error| shut(&error))
    }

    fn delete(&mut self, name: &str) -> Result<(), Shut> {
        match entry(name)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(shut(&error)),
        }
    }
}

type Errand = Box<dyn FnOnce(&mut dyn Keyring) + Send>;

/// Another keyring behind a thread, so that nobody waits for it longer than is said.
pub struct PatientKeyring {
    errands: Option<Sender<Errand>>,
    thread: Option<Joined>,
    patience: Duration,
}

impl PatientKeyring {
    /// The system's keyring, with the usual patience.
    ///
    /// # Errors
    /// The system has no room for one more thread.
    pub fn system() -> io::Result<Self> {
        Self::new(SystemKeyring, Duration::from_millis(KEYRING_MILLIS))
    }

    /// Waits for `keyring` as long as `patience` each time.
    ///
    /// # Errors
    /// The system has no room for one more thread.
    pub fn new(mut keyring: impl Keyring + 'static, patience: Duration) -> io::Result<Self> {
        let (errands, to_run) = bounded::<Errand>(1);
        let thread = threads::start("keyring", move || {
            for errand in to_run {
                errand(&mut keyring);
            }
        })?;
        Ok(Self { errands: Some(errands), thread: Some(thread), patience })
    }

    fn run<T: Send + 'static>(
        &mut self,
        errand: impl FnOnce(&mut dyn Keyring) -> Result<T, Shut> + Send + 'static,
    ) -> Result<T, Shut> {
        let (tell, told) = bounded(1);
        let errand: Errand = Box::new(move |keyring| {
            // Whoever asked may have gone on.
            tell.send(errand(keyring)).unwrap_or_default();
        });
        self.errands.as_ref().ok_or(Shut)?.send(errand).map_err(|_gone| Shut)?;
        told.recv_timeout(self.patience).unwrap_or_else(|_error| {
            log::info!("the keyring does not answer, and is left alone");
            self.errands = None;
            if let Some(thread) = self.thread.take() {
                thread.leave();
            }
            Err(Shut)
        })
    }
}

impl Keyring for PatientKeyring {
    fn get(&mut self, entry: &str) -> Result<Option<Vec<u8>>, Shut> {
        let entry = entry.to_owned();
        self.run(move |it| it.get(&entry))
    }

    fn set(&mut self, entry: &str, secret: &[u8]) -> Result<(), Shut> {
        let (entry, secret) = (entry.to_owned(), secret.to_vec());
        self.run(move |it| it.set(&entry, &secret))
    }

    fn delete(&mut self, entry: &str) -> Result<(), Shut> {
        let entry = entry.to_owned();
        self.run(move |it| it.delete(&entry))
    }
}

impl Drop for PatientKeyring {
    fn drop(&mut self) {
        // Its thread ends with the queue, and is then joined.
        self.errands = None;
    }
}

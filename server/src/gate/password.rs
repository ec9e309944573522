//! Hashing passwords: Argon2id on the thread of the connection that asks, two at once in the
//! whole process, and the same work whether or not there is anything to compare with.
//!
//! 1. A caller MUST be a connection's own thread: it sleeps while others hash, and then computes
//!    for about 22 ms. The hub never hashes.
//! 2. Whoever waits longer than `password_wait_millis`, or comes when `password_waiters` wait
//!    already, gets [`Busy`] and no work was done.
//! 3. The memory of a hash (19 MiB) MUST be back with the system when it is done.
//!
//! Invariant: `verify` does one hash of the usual cost for a name that nobody has, so neither the
//! time nor the answer tells whether there is such a user.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::chat::PasswordHash;
use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parlor_shared::{Limits, Password, Refusal};
use subtle::ConstantTimeEq as _;

/// OWASP's recommendation, P19: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// What a stored hash may ask for at most: it comes from a file that somebody may have edited.
const STORED_MEMORY_KIB_MAX: u32 = 64 * 1024;
const STORED_PASSES_MAX: u32 = 16;
const STORED_LANES_MAX: u32 = 4;

/// Room that is asked for with each hash; only what is written to becomes memory. glibc gives
/// blocks above 32 MiB straight back to the system, and smaller ones, once it has seen a few of
/// them, it keeps in the arena of each thread: after 16 threads had hashed the process held
/// 1,133 MB, like this 4 MB.
const ROOM_KIB: usize = 40 * 1024;

/// Salt of the work that is done for nobody.
const NOBODYS_SALT: [u8; SALT_BYTES] = *b"nobody-has-this.";

/// Too many passwords are being hashed. Nothing was done; trying again is fine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Busy;

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// See the module. One for the whole process.
#[derive(Debug)]
pub struct Passwords {
    hashers: u64,
    waiters: u64,
    wait: Duration,
    line: Mutex<Line>,
    left: Condvar,
    done: AtomicU64,
}

#[derive(Debug, Default)]
struct Line {
    hashing: u64,
    waiting: u64,
}

impl Passwords {
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            hashers: limits.password_hashers.max(1),
            waiters: limits.password_waiters,
            wait: Duration::from_millis(limits.password_wait_millis),
            line: Mutex::default(),
            left: Condvar::new(),
            done: AtomicU64::new(0),
        }
    }

    /// The hash to store, with a fresh salt.
    ///
    /// # Errors
    /// [`Busy`]: see the module.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, Busy> {
        let recipe = Recipe::usual(fresh_salt());
        let hash = self.work(&recipe, password)?;
        Ok(recipe.with(&hash))
    }

    /// Is it the password that was stored? `None` is for a name that nobody has and for a user
    /// without a password: false, after the same work.
    ///
    /// # Errors
    /// [`Busy`]: see the module.
    pub fn verify(&self, stored: Option<&str>, password: &Password) -> Result<bool, Busy> {
        let parsed = stored.and_then(|it| {
            let parsed = Recipe::parse(it);
            if parsed.is_none() {
                log::error!("a stored password hash cannot be read; nobody gets in with it");
            }
            parsed
        });
        let is_stored = parsed.is_some();
        let (recipe, expected) =
            parsed.unwrap_or_else(|| (Recipe::usual(NOBODYS_SALT), [0; HASH_BYTES]));
        let hash = self.work(&recipe, password)?;
        Ok(bool::from(hash.ct_eq(&expected)) && is_stored)
    }

    /// How many hashes were made since the start.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn work(&self, recipe: &Recipe, password: &Password) -> Result<[u8; HASH_BYTES], Busy> {
        let _place = self.place()?;
        let hash = recipe.hash(password);
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(hash)
    }

    /// A place among the hashers, given back when dropped.
    fn place(&self) -> Result<Place<'_>, Busy> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.hashing >= self.hashers {
            if line.waiting >= self.waiters {
                return Err(Busy);
            }
            line.waiting += 1;
            let is_full = |it: &mut Line| it.hashing >= self.hashers;
            let waited = self.left.wait_timeout_while(line, self.wait, is_full);
            (line, _) = waited.unwrap_or_else(PoisonError::into_inner);
            line.waiting -= 1;
            if line.hashing >= self.hashers {
                return Err(Busy);
            }
        }
        line.hashing += 1;
        Ok(Place(self))
    }
}

struct Place<'a>(&'a Passwords);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner).hashing -= 1;
        self.0.left.notify_one();
    }
}

/// Should this stored hash be made anew, now that the password is known? True when it was made
/// with other parameters than those of today.
#[must_use]
pub fn needs_rehash(stored: &str) -> bool {
    Recipe::parse(stored).is_none_or(|(it, _)| !it.is_usual())
}

/// Everything that a hash depends on beside the password.
struct Recipe {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
}

impl Recipe {
    #[expect(clippy::expect_used, reason = "constants, and each test makes one")]
    fn usual(salt: [u8; SALT_BYTES]) -> Self {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES));
        Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: params.expect("parameters that the crate knows"),
            salt: Salt::new(&salt).expect("a salt of 16 bytes"),
        }
    }

    fn is_usual(&self) -> bool {
        let usual = Self::usual(NOBODYS_SALT);
        let cost = |it: &Params| (it.m_cost(), it.t_cost(), it.p_cost());
        self.algorithm == usual.algorithm
            && self.version == usual.version
            && cost(&self.params) == cost(&usual.params)
            && self.salt.len() >= SALT_BYTES
    }

    /// From a PHC string: the recipe, and what comes out for the right password.
    fn parse(stored: &str) -> Option<(Self, [u8; HASH_BYTES])> {
        let parsed = phc::PasswordHash::new(stored).ok()?;
        let expected = parsed.hash?.as_bytes().try_into().ok()?;
        let params = Params::try_from(&parsed).ok()?;
        if params.m_cost() > STORED_MEMORY_KIB_MAX
            || params.t_cost() > STORED_PASSES_MAX
            || params.p_cost() > STORED_LANES_MAX
        {
            return None;
        }
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
        let version =
            parsed.version.map_or(Some(Version::V0x10), |it| Version::try_from(it).ok())?;
        Some((Self { algorithm, version, params, salt: parsed.salt? }, expected))
    }

    #[expect(clippy::expect_used, reason = "every length was checked when the recipe was made")]
    fn hash(&self, password: &Password) -> [u8; HASH_BYTES] {
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let blocks = self.params.block_count();
        let mut memory: Vec<Block> = Vec::with_capacity(blocks.max(ROOM_KIB));
        memory.resize(blocks, Block::new());
        let mut hash = [0; HASH_BYTES];
        argon2
            .hash_password_into_with_memory(password.as_bytes(), &self.salt, &mut hash, &mut memory)
            .expect("a salt, a password and an output of lengths that Argon2 takes");
        hash
    }

    #[expect(clippy::expect_used, reason = "lengths and parameters are constants here")]
    fn with(&self, hash: &[u8; HASH_BYTES]) -> PasswordHash {
        let phc = phc::PasswordHash {
            algorithm: self.algorithm.ident(),
            version: Some(self.version.into()),
            params: ParamsString::try_from(&self.params).expect("three short numbers"),
            salt: Some(self.salt),
            hash: Some(Output::new(hash).expect("32 bytes")),
        };
        PasswordHash(phc.to_string().into())
    }
}

/// From the system's generator: two users with one password have two hashes.
#[expect(clippy::expect_used, reason = "a system without randomness cannot keep passwords")]
fn fresh_salt() -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).expect("the system has a random generator");
    salt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    /// Made with the reference implementation's command line (`argon2 somesalt -id -t 2 -m 16`)
    /// and earlier parameters.
    const OLDER: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                         CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn a_password_opens_what_it_closed_and_no_other_does() {
        let passwords = Passwords::new(&Limits::default());
        let hash = passwords.hash(&password("correct horse")).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
        assert_eq!(passwords.verify(Some(hash.as_str()), &password("correct horse")), Ok(true));
        assert_eq!(passwords.verify(Some(hash.as_str()), &password("correct house")), Ok(false));
        assert_ne!(hash, passwords.hash(&password("correct horse")).unwrap(), "a salt of its own");
        assert!(!needs_rehash(hash.as_str()));
    }

    #[test]
    fn a_hash_with_older_parameters_opens_and_is_to_be_made_anew() {
        let passwords = Passwords::new(&Limits::default());
        assert_eq!(passwords.verify(Some(OLDER), &password("password")), Ok(true));
        assert_eq!(passwords.verify(Some(OLDER), &password("passwort")), Ok(false));
        assert!(needs_rehash(OLDER));
    }

    #[test]
    fn a_name_that_nobody_has_costs_the_same() {
        let passwords = Passwords::new(&Limits::default());
        let hash = passwords.hash(&password("correct horse")).unwrap();
        let broken = ["", "$argon2id$", "$2b$12$abc", &OLDER.replace("65536", "4194304")];
        let stored = [Some(hash.as_str()), None].into_iter().chain(broken.map(Some));
        for (done, stored) in (1..).zip(stored) {
            assert_eq!(passwords.done(), done);
            assert_eq!(passwords.verify(stored, &password("wrong horse")), Ok(false));
            assert_eq!(passwords.done(), done + 1, "{stored:?}");
        }
        // Not even with a password that hashes to what nobody's place is filled with.
        let nobody = Recipe::usual(NOBODYS_SALT).hash(&password("correct horse"));
        assert_ne!(nobody, [0; HASH_BYTES]);
    }

    #[test]
    fn two_hash_at_once_a_few_wait_and_the_rest_is_told_at_once() {
        let mut limits = Limits::default();
        (limits.password_hashers, limits.password_waiters) = (2, 1);
        limits.password_wait_millis = 60_000;
        let passwords = Passwords::new(&limits);
        let (first, _second) = (passwords.place().unwrap(), passwords.place().unwrap());
        std::thread::scope(|scope| {
            let third = scope.spawn(|| passwords.place().is_ok());
            while passwords.line.lock().unwrap().waiting == 0 {
                std::thread::yield_now();
            }
            assert_eq!(passwords.hash(&password("correct horse")), Err(Busy));
            assert_eq!(passwords.done(), 0, "no work was done for it");
            drop(first);
            assert!(third.join().unwrap(), "the next in line is let in");
        });
        let line = passwords.line.lock().unwrap();
        assert_eq!((line.hashing, line.waiting), (1, 0));
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut limits = Limits::default();
        (limits.password_hashers, limits.password_wait_millis) = (1, 1);
        let passwords = Passwords::new(&limits);
        let place = passwords.place().unwrap();
        assert_eq!(passwords.verify(None, &password("correct horse")), Err(Busy));
        drop(place);
        assert_eq!(passwords.verify(None, &password("correct horse")), Ok(false));
    }

    /// In megabytes.
    #[cfg(target_os = "linux")]
    fn resident() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4_096 / 1_000_000
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_goes_back_to_the_system() {
        let passwords = Passwords::new(&Limits::default());
        let before = resident();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                let twice =
                    || (0..2).all(|_| passwords.verify(None, &password("correct horse")).is_ok());
                scope.spawn(move || assert!(twice()));
            }
        });
        // Room for what other tests do meanwhile: two hashes each.
        let grown = resident().saturating_sub(before);
        assert!(grown < 200, "{grown} MB more than before");
    }
}

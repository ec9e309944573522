//! Fresh secrets from the system's generator.

use parlor_shared::{Code, ResumeToken};

/// A token of 256 bits.
pub(crate) fn token() -> ResumeToken {
    ResumeToken(random())
}

/// A code of 80 bits.
pub(crate) fn code() -> Code {
    Code::from_random(random())
}

/// So many codes.
pub(super) fn codes(count: usize) -> Vec<Code> {
    (0..count).map(|_| code()).collect()
}

/// Without a generator nobody could be told apart, so there is no way on.
#[expect(clippy::expect_used, reason = "a system without randomness cannot serve strangers")]
fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the system has a random generator");
    bytes
}

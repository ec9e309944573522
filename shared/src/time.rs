//! Times on the wire.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 00:00 UTC, by the server's clock.
///
/// Times are for showing. Nothing is ever ordered by them: order is only ever by `seq`.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Milliseconds from `earlier` to `self`; 0 when the clock went back in between.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

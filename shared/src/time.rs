//! Times on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::date;

const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

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

    /// Year, month from 1, day from 1, in UTC.
    #[must_use]
    pub fn date(self) -> (u64, u32, u32) {
        date(self.0 / MILLIS_PER_DAY)
    }
}

impl fmt::Display for UnixMillis {
    /// `2026-11-21T09:30:00.000Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let millis = self.0 % MILLIS_PER_DAY;
        let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
        let (second, milli) = (millis / 1000 % 60, millis % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

//! Where time and luck come from, for the model and the view, which have neither.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parlor_shared::UnixMillis;

use crate::model::Moment;

/// Counts from the app's start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Milliseconds since the start; never goes back.
    pub(super) fn millis(self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// This computer's clock; a clock before 1970 is taken as 1970.
    pub(super) fn wall() -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn moment(self) -> Moment {
        let millis = self.millis();
        // Luck only spreads retries over time, so without a generator the clock will do.
        let random =
            getrandom::u64().unwrap_or_else(|_| millis.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Moment { millis, wall: Self::wall(), random }
    }
}

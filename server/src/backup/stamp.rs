//! A moment as part of a file's name: `20261121-093000`, UTC, so that sorted by name is sorted
//! by time.

use std::fmt;

use parlor_shared::UnixMillis;
use parlor_shared::calendar::{date, days};

const DAY: u64 = 24 * 60 * 60;
/// The last second of the year 9999: a name has four digits for the year.
const LAST: u64 = 253_402_300_799;

/// Seconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Stamp(pub(super) u64);

impl Stamp {
    pub(super) fn of(at: UnixMillis) -> Self {
        Self((at.0 / 1_000).min(LAST))
    }

    pub(super) fn millis(self) -> UnixMillis {
        UnixMillis(self.0 * 1_000)
    }

    /// `None` for what is not exactly a stamp.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('-')?;
        let is_digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
        if (date.len(), time.len()) != (8, 6) || !is_digits(date) || !is_digits(time) {
            return None;
        }
        let number = |it: &str| it.parse::<u32>().ok();
        let (year, month, day) = (number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?);
        let (hour, minute, second) =
            (number(&time[..2])?, number(&time[2..4])?, number(&time[4..])?);
        if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let time = u64::from(hour * 3_600 + minute * 60 + second);
        let stamp = Self(days(u64::from(year), month, day) * DAY + time);
        // 31 February, or 25 o'clock, would come back as something else.
        (stamp.to_string() == text).then_some(stamp)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((year, month, day), time) = (date(self.0 / DAY), self.0 % DAY);
        let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
        write!(f, "{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments_have_their_names() {
        for (seconds, name) in [
            (0, "19700101-000000"),
            (951_782_399, "20000228-235959"),
            (951_782_400, "20000229-000000"),
            (1_763_717_400, "20251121-093000"),
            (LAST, "99991231-235959"),
        ] {
            assert_eq!(Stamp(seconds).to_string(), name);
        }
        for wrong in
            ["", "20260231-000000", "20261301-000000", "20260101-240000", "2026010-1000000"]
        {
            assert_eq!(Stamp::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_read_back_and_sorts_like_its_time(a in 0..=LAST, b in 0..=LAST) {
            prop_assert_eq!(Stamp::parse(&Stamp(a).to_string()), Some(Stamp(a)));
            prop_assert_eq!(Stamp(a).to_string().cmp(&Stamp(b).to_string()), a.cmp(&b));
        }
    }
}

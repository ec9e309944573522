//! Times and days as this computer's clock on the wall would show them.
//!
//! `jiff` knows the rules of time zones, daylight saving included, from the system's own tables
//! (and brings them along where there are none, on Windows); std knows only UTC. The `time`
//! crate gives one offset for now, which is an hour wrong for half of last year's messages.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use parlor_shared::UnixMillis;

use crate::words;

/// A place's clock and calendar.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
}

/// A day of a place: the moments that belong to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Day {
    pub date: Date,
    pub from: UnixMillis,
    /// The first moment of the next day.
    pub until: UnixMillis,
}

impl Day {
    #[must_use]
    pub fn contains(&self, at: UnixMillis) -> bool {
        (self.from..self.until).contains(&at)
    }
}

impl Calendar {
    /// The system's time zone.
    #[must_use]
    pub fn here() -> Self {
        Self { zone: TimeZone::system() }
    }

    /// Greenwich, for tests.
    #[must_use]
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC }
    }

    /// The day that a moment belongs to.
    #[must_use]
    pub fn day(&self, at: UnixMillis) -> Day {
        let zoned = stamp(at).to_zoned(self.zone.clone());
        let millis = |date: Date| {
            let start = date.to_zoned(self.zone.clone()).map(|it| it.timestamp());
            UnixMillis(start.map_or(0, |it| it.as_millisecond().try_into().unwrap_or(0)))
        };
        let date = zoned.date();
        let from = millis(date);
        let until = date.tomorrow().map_or(UnixMillis(u64::MAX), millis);
        Day { date, from, until: until.max(UnixMillis(at.0.saturating_add(1))) }
    }

    /// Hours and minutes: `18:53`.
    #[must_use]
    pub fn time(&self, at: UnixMillis) -> String {
        let zoned = stamp(at).to_zoned(self.zone.clone());
        format!("{:02}:{:02}", zoned.hour(), zoned.minute())
    }

    /// A day in words: today, yesterday, `Monday, 3 March`, or with the year when it is not
    /// this one.
    #[must_use]
    pub fn day_in_words(&self, at: UnixMillis, now: UnixMillis) -> String {
        let date = self.day(at).date;
        let today = self.day(now).date;
        if date == today {
            return words::TODAY.to_owned();
        }
        if date.checked_add(1.day()).is_ok_and(|next| next == today) {
            return words::YESTERDAY.to_owned();
        }
        let weekday =
            words::WEEKDAYS[date.weekday().to_monday_zero_offset().unsigned_abs() as usize % 7];
        let month = words::MONTHS[(date.month().unsigned_abs() as usize + 11) % 12];
        if date.year() == today.year() {
            format!("{weekday}, {} {month}", date.day())
        } else {
            format!("{weekday}, {} {month} {}", date.day(), date.year())
        }
    }
}

/// Times beyond what a calendar can hold come from broken clocks; they are shown as its end.
fn stamp(at: UnixMillis) -> Timestamp {
    i64::try_from(at.0)
        .ok()
        .and_then(|it| Timestamp::from_millisecond(it).ok())
        .unwrap_or(Timestamp::MAX)
}

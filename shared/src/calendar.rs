//! Days and dates, of the calendar that never began and never ends. After Howard Hinnant's
//! `civil_from_days` and `days_from_civil`: the year begins in March there, so that the leap day
//! is its last.

/// From the beginning of that calendar to 1970-01-01.
const DAYS_BEFORE: u64 = 719_468;

/// Year, month from 1, day from 1, so many days after 1970-01-01.
#[must_use]
pub fn date(days: u64) -> (u64, u32, u32) {
    let days = days + DAYS_BEFORE;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// Days after 1970-01-01 of a date that is not before it; 31 February is 2 or 3 March.
#[must_use]
pub fn days(year: u64, month: u32, day: u32) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let march_month = u64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * march_month + 2) / 5 + u64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - DAYS_BEFORE
}

//! Sentences that need the calendar: until when, and since when.

use parlor_shared::{Refusal, UnixMillis};

use super::Screen;
use super::calendar::Calendar;
use crate::model::Trouble;
use crate::words;

/// A moment in words: `18:53` today, otherwise with its day.
#[must_use]
pub(super) fn moment(calendar: &Calendar, now: UnixMillis, at: UnixMillis) -> String {
    let time = calendar.time(at);
    if calendar.day(now).contains(at) {
        return time;
    }
    let day = calendar.day_in_words(at, now);
    let day = if day == words::YESTERDAY { words::YESTERDAY_WITHIN } else { &day };
    format!("{day}, {time}")
}

/// The trouble in a sentence, with the time that it holds.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "the others have no time in them")]
pub(super) fn trouble(screen: &Screen, it: &Trouble) -> String {
    let until = |at: &UnixMillis| moment(&screen.calendar, screen.now, *at);
    match it {
        Trouble::Banned { until: Some(at) } => words::join::banned(Some(&until(at))),
        Trouble::Refused(Refusal::Muted { until: Some(at) })
        | Trouble::RoomRefused(Refusal::Muted { until: Some(at) }) => {
            words::notices::muted(Some(&until(at)), None)
        }
        Trouble::Refused(Refusal::Banned { until: Some(at) })
        | Trouble::RoomRefused(Refusal::Banned { until: Some(at) }) => {
            words::notices::banned_here(&until(at))
        }
        other => words::trouble(other),
    }
}

/// The first so many characters, and a sign that there are more.
#[must_use]
pub(super) fn beginning(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

//! How long something lasts, as people type it: `10m`, `2h`, `3d`, `1w`, `forever`.

use std::str::FromStr;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// A hundred years. Who means longer means forever.
const MAX: u64 = 36_525 * DAY;

/// See the module.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Span {
    /// `None`: for good.
    pub(super) millis: Option<u64>,
    words: String,
}

impl Span {
    /// For a sentence: `for 2 hours`, `for good`.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    pub(super) fn forever() -> Self {
        Self { millis: None, words: "for good".to_owned() }
    }
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "say how long with a number and s, m, h, d or w, as in 10m, 2h, 3d or 1w; or forever";
        if text == "forever" {
            return Ok(Self::forever());
        }
        let (at, unit) = text.char_indices().next_back().ok_or(WRONG)?;
        let (unit, word) = match unit {
            's' => (SECOND, "second"),
            'm' => (MINUTE, "minute"),
            'h' => (HOUR, "hour"),
            'd' => (DAY, "day"),
            'w' => (WEEK, "week"),
            _ => return Err(WRONG),
        };
        let digits = &text[..at];
        if !digits.bytes().all(|it| it.is_ascii_digit()) {
            return Err(WRONG);
        }
        let count: u64 = digits.parse().map_err(|_no_number| WRONG)?;
        let millis = count.checked_mul(unit).filter(|it| (1..=MAX).contains(it)).ok_or(
            "that is no time at all, or more than a hundred years; say forever for the latter",
        )?;
        let plural = if count == 1 { "" } else { "s" };
        Ok(Self { millis: Some(millis), words: format!("for {count} {word}{plural}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read_and_everything_else_refused() {
        let read = |it: &str| it.parse::<Span>();
        for (text, millis, words) in [
            ("90s", 90_000, "for 90 seconds"),
            ("10m", 600_000, "for 10 minutes"),
            ("1h", 3_600_000, "for 1 hour"),
            ("3d", 259_200_000, "for 3 days"),
            ("1w", 604_800_000, "for 1 week"),
        ] {
            let span = read(text).expect(text);
            assert_eq!((span.millis, span.words()), (Some(millis), words), "{text}");
        }
        assert_eq!(read("forever"), Ok(Span::forever()));
        for wrong in ["", "h", "0h", "+1h", "-1h", "1", "1 h", "1H", "1y", "1.5h", "٣d", "ever"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for wrong in ["99999999999999999999d", "18446744073709551615w", "5219w"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

//! How an event looks in a chat log, and what files and folders are called.

use parlor_shared::text::{is_bidi_control, is_control, is_invisible};
use parlor_shared::{Fact, Line, RoomEvent, UnixMillis, UserId, UserName};

/// A folder's name ends here, in bytes; most file systems take 255. The id makes it unique.
const FOLDER_NAME_MAX: usize = 200;

/// A month of UTC, counted from year 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Month(pub(super) u32);

impl Month {
    pub(super) fn of(at: UnixMillis) -> Self {
        let (year, month, _) = at.date();
        // Times are below 2^53 milliseconds: years below 290,000.
        Self(year as u32 * 12 + month - 1)
    }

    pub(super) fn file_name(self) -> String {
        format!("{:04}-{:02}.log", self.0 / 12, self.0 % 12 + 1)
    }

    /// Whether a file could be one of ours by its name.
    pub(super) fn is_file_name(name: &str) -> bool {
        let Some((year, month)) = name.strip_suffix(".log").and_then(|it| it.split_once('-'))
        else {
            return false;
        };
        let digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
        (4..=6).contains(&year.len()) && month.len() == 2 && digits(year) && digits(month)
    }
}

/// Appends `event` as a line; see the module of the chat logs for its form. `room` is escaped.
pub(super) fn render(event: &RoomEvent, room: &str, into: &mut String) {
    into.push_str(&event.at.to_string());
    into.push('\t');
    into.push_str(room);
    into.push('\t');
    into.push_str(&event.seq.to_string());
    into.push('\t');
    escape(event.name.as_str(), into);
    match &event.fact {
        Fact::Opened { .. } => into.push_str("\topened"),
        Fact::Joined {} => into.push_str("\tjoined"),
        Fact::Left {} => into.push_str("\tleft"),
        Fact::Said { text, .. } => {
            into.push_str("\tsaid\t");
            escape(text.as_str(), into);
        }
        Fact::Announced { text, .. } => {
            into.push_str("\tannounced\t");
            escape(text.as_str(), into);
        }
        Fact::Blank { .. } => into.push_str("\tblank"),
        Fact::Renamed { was } => about("renamed", Some(was), None, into),
        Fact::Kicked { who, reason, .. } => {
            about("kicked", Some(who), reason.as_ref().map(Line::as_str), into);
        }
        Fact::Banned { who, reason, .. } => {
            about("banned", Some(who), reason.as_ref().map(Line::as_str), into);
        }
        Fact::Muted { who, reason, .. } => {
            about("muted", Some(who), reason.as_ref().map(Line::as_str), into);
        }
        Fact::Unmuted { who, .. } => about("unmuted", Some(who), None, into),
        Fact::RoleGiven { who, role, .. } => {
            about("role_given", Some(who), Some(role.word()), into);
        }
        Fact::Erased { .. } => about("erased", None, None, into),
        Fact::Ended { reason } => about("ended", None, reason.as_ref().map(Line::as_str), into),
        Fact::Unknown => into.push_str("\tunknown"),
    }
    into.push('\n');
}

/// An act, whom it concerned, and why: a field each, which is empty where there is nobody.
fn about(what: &str, whom: Option<&UserName>, why: Option<&str>, into: &mut String) {
    into.push('\t');
    into.push_str(what);
    if whom.is_some() || why.is_some() {
        into.push('\t');
        escape(whom.map(UserName::as_str).unwrap_or_default(), into);
    }
    if let Some(why) = why {
        into.push('\t');
        escape(why, into);
    }
}

/// Appends `text` so that it is one field of one line, shows as it is, and can be turned back.
pub(super) fn escape(text: &str, into: &mut String) {
    for it in text.chars() {
        match it {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\t' => into.push_str("\\t"),
            // The two separators break lines in some editors.
            '\u{2028}' | '\u{2029}' => into.extend(it.escape_unicode()),
            _ if is_control(it) || is_bidi_control(it) => into.extend(it.escape_unicode()),
            _ => into.push(it),
        }
    }
}

/// `7-Ann`: letters and digits of any script, `-` and `_` as they are, the bytes of everything
/// else as `%` and two hexadecimal digits.
pub(super) fn folder_name(user: UserId, name: &str) -> String {
    let mut folder = format!("{user}-");
    for it in name.chars() {
        let mut bytes = [0; 4];
        let bytes = it.encode_utf8(&mut bytes);
        let is_plain = (it.is_alphanumeric() && !is_invisible(it)) || it == '-' || it == '_';
        let part = if is_plain {
            bytes.to_owned()
        } else {
            bytes.bytes().map(|byte| format!("%{byte:02X}")).collect()
        };
        if folder.len() + part.len() > FOLDER_NAME_MAX {
            break;
        }
        folder.push_str(&part);
    }
    folder
}

/// Whether a folder could be a user's by its name.
pub(super) fn is_folder_name(name: &str) -> bool {
    let id = name.split_once('-').map_or("", |(id, _)| id);
    !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit())
}

/// Whose folder that is, under whatever name.
pub(super) fn folder_owner(folder: &str) -> Option<UserId> {
    let (user, _) = folder.split_once('-')?;
    let id = user.parse().ok().map(UserId)?;
    (id.to_string() == user).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_the_month() {
        assert_eq!(Month::of(UnixMillis(1_795_257_000_123)).file_name(), "2026-11.log");
        assert!(Month::is_file_name("2026-11.log"));
        for other in ["2026-11.txt", "2026-1.log", "notes.log", "26-11.log", "2026-11-21.log"] {
            assert!(!Month::is_file_name(other), "{other}");
        }
    }

    #[test]
    fn an_escaped_text_is_one_field() {
        let mut out = String::new();
        escape("a\\n\nb\tc\u{202e}d\u{85}é🙂\u{2028}", &mut out);
        assert_eq!(out, "a\\\\n\\nb\\tc\\u{202e}d\\u{85}é🙂\\u{2028}");
    }

    #[test]
    fn other_folders_are_nobodys() {
        for folder in ["notes", "7", "07-Ann", "+7-Ann", "-7-Ann", "-Ann"] {
            assert_eq!(folder_owner(folder), None, "{folder}");
        }
    }

    #[test]
    fn no_name_becomes_a_path() {
        for (name, folder) in [
            ("Ann", "7-Ann"),
            ("../../etc/passwd", "7-%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"),
            ("Ö 2", "7-Ö%202"),
            ("C:\\x", "7-C%3A%5Cx"),
            ("アン-_", "7-アン-_"),
            ("a\u{3164}b", "7-a%E3%85%A4b"),
        ] {
            assert_eq!(folder_name(UserId(7), name), folder);
            assert_eq!(folder_owner(folder), Some(UserId(7)));
        }
        let long = folder_name(UserId(7), &"🙂".repeat(32));
        assert!(long.len() <= FOLDER_NAME_MAX && long.ends_with("%82"), "{long}");
    }
}

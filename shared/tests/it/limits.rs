//! The table of limits: every one can be found, changed and explained by its name.

use std::collections::BTreeSet;

use parlor_shared::limits::{
    JSON_ARRAY_MAX, JSON_DEPTH_MAX, LABEL_BYTES_MAX, PASSWORD_BYTES_MAX, TEXT_BYTES_MAX,
    USER_NAME_CHARS_MAX,
};
use parlor_shared::{Limits, frame};

#[test]
fn every_limit_has_its_own_name_and_a_reason() {
    let table: Vec<_> = Limits::default().iter().collect();
    let names: BTreeSet<_> = table.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names.len(), table.len(), "two limits have one name");
    for (name, value, reason) in table {
        assert!(value > 0, "{name} is 0");
        assert!(reason.len() > 10 && reason.ends_with('.'), "{name} has no reason: {reason:?}");
        assert!(name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_'), "{name}");
    }
}

#[test]
fn set_changes_the_limit_that_was_named_and_no_other() {
    let names: Vec<_> = Limits::default().iter().map(|(name, ..)| name).collect();
    for name in names {
        let mut limits = Limits::default();
        assert_eq!(limits.changed().count(), 0);
        assert!(limits.set(name, 987_654_321), "{name} cannot be set");
        assert_eq!(limits.changed().collect::<Vec<_>>(), [(name, 987_654_321)]);
    }
    let mut limits = Limits::default();
    for wrong in ["", "frame", "frame_bytes ", "FRAME_BYTES", "text_bytes"] {
        assert!(!limits.set(wrong, 1), "{wrong:?} was taken for a limit");
    }
    assert_eq!(limits, Limits::default());
}

/// The longest text must fit into a line in its usual form, and a stranger's line must hold a
/// `hello`, or the protocol could not be spoken at all.
#[test]
fn the_limits_fit_each_other() {
    let limits = Limits::default();
    let usize_of = |it: u64| usize::try_from(it).expect("a small limit");
    assert!(TEXT_BYTES_MAX * 2 + 1_000 < usize_of(limits.frame_bytes));
    assert!(LABEL_BYTES_MAX * 6 + 1_000 < usize_of(limits.frame_bytes_before_hello));
    assert!(limits.page_events <= limits.page_events_max);
    assert!(limits.page_bytes < limits.queue_bytes, "one page must not cut its reader");
    assert!(limits.queue_bytes < limits.queue_bytes_total);
    assert!(limits.silence_millis > 2 * limits.ping_millis);
    assert!(limits.strangers_free < limits.strangers && limits.strangers < limits.connections);
    assert!(limits.strangers_per_source < limits.connections_per_source);
    const { assert!(JSON_DEPTH_MAX < 128 && JSON_ARRAY_MAX < 1_000) };
}

/// What a stranger may say fits into a stranger's line, also from a program that writes everything
/// beyond ASCII as `\u` and four digits.
#[test]
fn the_longest_hello_fits_a_strangers_line() {
    let limit = usize::try_from(Limits::default().frame_bytes_before_hello).expect("a small limit");
    let name = "\\u0436".repeat(USER_NAME_CHARS_MAX);
    let password = "\\u0436".repeat(PASSWORD_BYTES_MAX / "ж".len());
    let (label, code) = ("x".repeat(LABEL_BYTES_MAX), "2F7K-9QXM-0TRB-V4CD");
    for line in [
        format!(
            r#"{{"id":9007199254740991,"hello":{{"protocol":1,"app":"{label}","name":"{name}","password":"{password}","device":"{label}","invite":"{code}"}}}}"#
        ),
        format!(
            r#"{{"id":9007199254740991,"recover":{{"name":"{name}","code":"{code}","password":"{password}"}}}}"#
        ),
    ] {
        assert!(line.len() <= limit, "{} bytes", line.len());
        assert_eq!(frame::parse_request(&line).map(drop), Ok(()));
    }
}

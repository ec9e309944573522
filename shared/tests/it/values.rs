//! Values are parsed once and valid ever after: names, texts, client ids, tokens.

use std::str::FromStr as _;

use parlor_shared::id::ID_MAX;
use parlor_shared::limits::{
    LABEL_BYTES_MAX, LINE_CHARS_MAX, ROOM_NAME_CHARS_MAX, TEXT_BYTES_MAX, USER_NAME_CHARS_MAX,
};
use parlor_shared::name::Skeleton;
use parlor_shared::{
    BanId, ClientId, DeviceId, Entry, Epoch, InviteId, Label, Line, Policy, Refusal, ResumeToken,
    Role, RoomName, RoomRole, SessionId, Text, UnixMillis, UserName,
};
use proptest::prelude::*;

fn user(name: &str) -> Result<String, &'static str> {
    UserName::from_str(name).map(|it| it.as_str().to_owned()).map_err(|it| it.code())
}

#[test]
fn names_of_many_scripts_are_welcome() {
    for name in
        ["Ann", "Jürgen", "Łukasz", "Нина", "محمد", "יעל", "मीरा", "小林", "👩‍🚀", "O'Neil", "a b"]
    {
        assert_eq!(user(name), Ok(name.to_owned()));
    }
    assert_eq!(user("  Ann \u{3000}"), Ok("Ann".to_owned()), "white space at the ends is cut");
}

#[test]
fn names_that_mislead_are_refused_each_with_its_code() {
    for (name, code) in [
        ("", "name_empty"),
        (" \u{a0}\u{3000} ", "name_empty"),
        ("\u{200b}\u{fe0f}\u{ad}", "name_empty"),
        ("\u{202e}", "name_empty"),
        ("An\u{0}n", "control_character"),
        ("An\nn", "control_character"),
        ("An\tn", "control_character"),
        ("An\u{7f}n", "control_character"),
        ("An\u{85}n", "control_character"),
        ("\u{202e}nnA", "name_misleading"),
        ("Ann\u{2066}", "name_misleading"),
        ("An\u{200f}n", "name_misleading"),
        ("Ann\u{2028}Bob", "name_misleading"),
    ] {
        assert_eq!(user(name), Err(code), "{name:?}");
    }
    assert_eq!(RoomName::from_str("a\u{202e}b"), Err(Refusal::NameMisleading));
}

#[test]
fn names_at_their_longest_and_one_past_it() {
    for (letter, max) in
        [("a", USER_NAME_CHARS_MAX), ("ж", USER_NAME_CHARS_MAX), ("😀", USER_NAME_CHARS_MAX)]
    {
        assert!(user(&letter.repeat(max)).is_ok());
        assert_eq!(user(&letter.repeat(max + 1)), Err("name_too_long"));
    }
    assert!(RoomName::from_str(&"r".repeat(ROOM_NAME_CHARS_MAX)).is_ok());
    assert_eq!(RoomName::from_str(&"r".repeat(ROOM_NAME_CHARS_MAX + 1)), Err(Refusal::NameTooLong));
}

#[test]
fn names_that_look_the_same_are_one_name() {
    for (one, other) in [
        ("Ann", "ANN"),
        ("Ann", "Аnn"), // Cyrillic A.
        ("Ann", "Ａｎｎ"),
        ("Ann", "A\u{200d}nn"),
        ("Ann", "Ann\u{ad}"),
        ("Bill", "BiII"),
        ("Bill", "bi1l"),
        ("Zoë", "Zoe\u{308}"),
        ("Groß", "GROSS"),
        ("ﬁn", "fin"),
        ("a  b", "a b"),
        ("O0", "oO"),
        ("modern", "modem"),
    ] {
        assert_eq!(Skeleton::of(one), Skeleton::of(other), "{one} {other}");
    }
    for (one, other) in [("Ann", "Anne"), ("Zoe", "Zoë"), ("Ann 2", "Ann 3"), ("ab", "a b")] {
        assert_ne!(Skeleton::of(one), Skeleton::of(other), "{one} {other}");
    }
}

#[test]
fn a_suggested_name_is_a_name() {
    for name in ["Ann", &"a".repeat(32), &"😀".repeat(32), &format!("{}a", "\u{2060}".repeat(31))]
    {
        let name = UserName::from_str(name).expect("a name");
        for number in [2, 99, u32::MAX] {
            let suggested = name.numbered(number);
            assert_eq!(UserName::from_str(suggested.as_str()), Ok(suggested.clone()));
            assert_ne!(suggested.skeleton(), name.skeleton());
        }
    }
}

#[test]
fn texts_at_their_longest_and_one_past_it() {
    assert!(Text::from_str(&"x".repeat(TEXT_BYTES_MAX)).is_ok());
    assert_eq!(Text::from_str(&"x".repeat(TEXT_BYTES_MAX + 1)), Err(Refusal::TextTooLong));
    // Bytes, not characters.
    assert!(Text::from_str(&"ж".repeat(TEXT_BYTES_MAX / 2)).is_ok());
    assert_eq!(Text::from_str(&"ж".repeat(TEXT_BYTES_MAX / 2 + 1)), Err(Refusal::TextTooLong));
}

#[test]
fn texts_keep_every_character_that_may_be_in_them() {
    for text in
        ["~", "a\nb\tc", " a ", "שלום hello", "\u{202e}abc", "👨‍👩‍👧‍👦", "\u{2028}x", "[EXIT] not yet"]
    {
        assert_eq!(Text::from_str(text).map(|it| it.as_str().to_owned()), Ok(text.to_owned()));
    }
    for (text, refusal) in [
        ("", Refusal::TextEmpty),
        (" \n\t\u{a0}", Refusal::TextEmpty),
        ("\u{200b}\u{2060}", Refusal::TextEmpty),
        ("a\0", Refusal::ControlCharacter),
        ("a\r\nb", Refusal::ControlCharacter),
        ("a\u{1b}[31m", Refusal::ControlCharacter),
        ("a\u{9b}m", Refusal::ControlCharacter),
        ("a\u{7f}", Refusal::ControlCharacter),
    ] {
        assert_eq!(Text::from_str(text), Err(refusal), "{text:?}");
    }
}

#[test]
fn a_line_is_one_line_with_something_in_it() {
    for line in ["Flooding", "שלום hello", "👨‍👩‍👧‍👦", &"ж".repeat(LINE_CHARS_MAX)]
    {
        assert_eq!(Line::from_str(line).map(|it| it.to_string()), Ok(line.to_owned()));
    }
    assert_eq!(Line::from_str(" a b \u{3000}").map(|it| it.to_string()), Ok("a b".to_owned()));
    let too_long = "x".repeat(LINE_CHARS_MAX + 1);
    for (line, refusal) in [
        ("", Refusal::TextEmpty),
        (" \u{200b}\u{ad} ", Refusal::TextEmpty),
        (&*too_long, Refusal::TextTooLong),
        ("a\nb", Refusal::ControlCharacter),
        ("a\tb", Refusal::ControlCharacter),
        ("a\u{1b}[31m", Refusal::ControlCharacter),
        ("a\u{2028}b", Refusal::ControlCharacter),
        ("a\u{2029}b", Refusal::ControlCharacter),
        ("a\u{202e}b", Refusal::ControlCharacter),
    ] {
        assert_eq!(Line::from_str(line), Err(refusal), "{line:?}");
    }
}

#[test]
fn a_label_is_short() {
    for label in ["", "nc", "Ann's laptop", &"x".repeat(LABEL_BYTES_MAX)] {
        assert_eq!(Label::from_str(label).map(|it| it.to_string()), Ok(label.to_owned()));
    }
    for label in ["a\nb", "a\0", &"x".repeat(LABEL_BYTES_MAX + 1), &"ж".repeat(LABEL_BYTES_MAX)] {
        assert_eq!(Label::from_str(label), Err(Refusal::Malformed), "{label:?}");
    }
}

/// `access` compares roles, so their order is who may do more.
#[test]
fn roles_are_in_their_order() {
    assert!(Role::Guest < Role::Member && Role::Member < Role::Admin && Role::Admin < Role::Owner);
    assert!(RoomRole::Member < RoomRole::Moderator && RoomRole::Moderator < RoomRole::Owner);
    assert_eq!((Role::default(), RoomRole::default()), (Role::Guest, RoomRole::Member));
    let admins = [Role::Guest, Role::Member, Role::Admin, Role::Owner].map(Role::is_admin);
    assert_eq!(admins, [false, false, true, true]);
    // What is left out on the wire is what is read when it is missing, and only that.
    assert!(Role::Guest.is_guest() && !Role::Member.is_guest());
    assert!(RoomRole::Member.is_member() && !RoomRole::Moderator.is_member());
}

#[test]
fn a_server_is_open_and_backed_up_until_somebody_decides_otherwise() {
    let policy = Policy::default();
    assert_eq!(policy, Policy { entry: Entry::Open, backup_hours: 24, backup_keep: 7 });
    let json = serde_json::to_string(&policy).expect("JSON");
    assert_eq!(json, r#"{"entry":"open","backup_hours":24,"backup_keep":7}"#);
}

#[test]
fn ids_stay_exact_in_every_reader() {
    fn check<T: serde::de::DeserializeOwned>(what: &str) {
        for (number, is_id) in [(0, true), (ID_MAX, true), (ID_MAX + 1, false), (u64::MAX, false)] {
            let parsed: Result<T, _> = serde_json::from_str(&number.to_string());
            assert_eq!(parsed.is_ok(), is_id, "{what} {number}");
        }
    }
    check::<SessionId>("session");
    check::<BanId>("ban");
    check::<InviteId>("invite");
}

#[test]
fn client_ids_have_one_form_only() {
    for id in ["a-1", "0-1", "abcdefgh12345678-1", "nc-9007199254740991"] {
        assert_eq!(ClientId::from_str(id).map(|it| it.to_string()), Ok(id.to_owned()));
    }
    for id in [
        "",
        "-",
        "a",
        "a-",
        "-1",
        "a-0",
        "a-01",
        "a--1",
        "a-1-1",
        "a-+1",
        "a- 1",
        "a-1 ",
        "A-1",
        "ä-1",
        "a_b-1",
        "abcdefgh123456789-1",
        "a-9007199254740992",
        "a-99999999999999999999",
        "a-１",
    ] {
        assert_eq!(ClientId::from_str(id), Err(Refusal::BadClientId), "{id:?}");
    }
}

#[test]
fn tokens_are_never_printed() {
    let hex = "00112233445566778899aabbccddeeff".repeat(2);
    let token = ResumeToken::from_str(&hex).expect("a token");
    assert_eq!(token.to_hex(), hex);
    let hello = parlor_shared::request::Hello {
        protocol: 1,
        app: Label::from_str("nc").expect("a label"),
        name: None,
        token: Some(token),
        password: None,
        device: None,
        invite: None,
    };
    for printed in [format!("{token:?}"), format!("{token:#?}"), format!("{hello:?}")] {
        assert!(printed.contains("ResumeToken(…)"), "{printed}");
        assert!(!printed.contains("0011") && !printed.contains("17"), "{printed}");
    }
    for wrong in ["", "00", &hex[1..], &format!("{hex}0"), &hex.replace('a', "g"), &"é".repeat(32)]
    {
        assert_eq!(ResumeToken::from_str(wrong), Err(Refusal::TokenUnknown), "{wrong:?}");
    }
    assert!(Epoch::from_str("0123456789abcdef").is_ok());
    assert_eq!(Epoch::from_str("0123456789abcde"), Err(Refusal::Malformed));
}

#[test]
fn refusals_have_one_code_and_one_sentence_each() {
    for code in Refusal::CODES {
        let refusal = Refusal::of_code(code).expect("known");
        assert_eq!(refusal.code(), *code);
        assert!(refusal.to_string().ends_with('.') && refusal.to_string().len() > 10, "{code}");
        assert_eq!(Refusal::CODES.iter().filter(|it| it == &code).count(), 1, "{code}");
    }
    assert_eq!(Refusal::of_code("unknown"), None);
}

proptest! {
    /// Whatever is taken can be said again, seen, and told apart.
    #[test]
    fn a_name_that_was_taken_is_taken_again(name in "\\PC{0,40}|.{0,40}") {
        if let Ok(parsed) = UserName::from_str(&name) {
            prop_assert_eq!(UserName::from_str(parsed.as_str()), Ok(parsed.clone()));
            prop_assert!(!parsed.skeleton().as_str().is_empty());
            prop_assert!(!parsed.as_str().chars().any(char::is_control));
            let second = parsed.numbered(2);
            let again = UserName::from_str(second.as_str());
            prop_assert_eq!(again, Ok(second));
        }
    }

    #[test]
    fn a_text_is_kept_as_it_is_or_refused(text in ".{0,60}|(?s).{0,60}") {
        if let Ok(parsed) = Text::from_str(&text) {
            prop_assert_eq!(parsed.as_str(), text);
        }
    }

    #[test]
    fn a_line_that_was_taken_is_taken_again(line in ".{0,60}|(?s).{0,60}") {
        if let Ok(parsed) = Line::from_str(&line) {
            prop_assert_eq!(Line::from_str(parsed.as_str()), Ok(parsed.clone()));
            prop_assert_eq!(parsed.as_str(), line.trim());
            prop_assert_eq!(parsed.as_str().lines().count(), 1);
        }
    }

    #[test]
    fn a_device_is_its_letters(device in "[a-z0-9]{1,16}") {
        prop_assert_eq!(DeviceId::from_str(&device).map(|it| it.to_string()), Ok(device));
    }
}

#[test]
fn times_are_those_of_the_calendar() {
    for (at, says) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_795_257_000_123, "2026-11-21T10:30:00.123Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(UnixMillis(at).to_string(), says);
    }
}

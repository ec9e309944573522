//! Passwords and e-mail addresses: what is taken, what is refused, and that neither is printed.

use std::str::FromStr as _;

use parlor_shared::limits::{EMAIL_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};
use parlor_shared::{EmailAddress, Password, Refusal};
use proptest::prelude::*;

fn password(text: &str) -> Password {
    text.parse().unwrap_or_else(|refusal| panic!("{text:?}: {refusal}"))
}

#[test]
fn passwords_at_their_shortest_and_longest() {
    assert_eq!(
        Password::from_str(&"x".repeat(PASSWORD_BYTES_MIN - 1)),
        Err(Refusal::PasswordTooShort)
    );
    assert!(Password::from_str(&"x".repeat(PASSWORD_BYTES_MIN)).is_ok());
    assert!(Password::from_str(&"x".repeat(PASSWORD_BYTES_MAX)).is_ok());
    assert_eq!(
        Password::from_str(&"x".repeat(PASSWORD_BYTES_MAX + 1)),
        Err(Refusal::PasswordTooLong)
    );
    // Three bytes that NFC makes nine.
    let grows = "\u{1d160}".repeat(PASSWORD_BYTES_MAX / 4);
    assert_eq!(Password::from_str(&grows), Err(Refusal::PasswordTooLong));
}

#[test]
fn the_same_keys_on_another_system_are_the_same_password() {
    for (one, other) in [
        ("Zoë sagt Nein", "Zoe\u{308} sagt Nein"),
        ("hard\u{a0}to guess", "hard to guess"),
        ("\u{ac00}\u{ac01}abc", "\u{1100}\u{1161}\u{1100}\u{1161}\u{11a8}abc"),
    ] {
        assert_eq!(password(one), password(other));
    }
    for (one, other) in [
        ("correct ﬁsh", "correct fish"),
        ("Correct fish", "correct fish"),
        ("a fish a ", "a fish a"),
    ] {
        assert_ne!(password(one), password(other));
    }
}

#[test]
fn a_password_is_never_printed() {
    let it = password("tr0ub4dor&3");
    assert_eq!(
        format!("{it:?} {it:#?} {:?}", Some(&it)),
        "Password(…) Password(…) Some(Password(…))"
    );
    let wire = serde_json::to_string(&it).expect("a string");
    assert_eq!(wire, "\"tr0ub4dor&3\"");
    assert_eq!(serde_json::from_str::<Password>(&wire).expect("a password"), it);
    let refused =
        serde_json::from_str::<Password>("\"secret\"").expect_err("too short").to_string();
    assert!(refused.starts_with("password_too_short") && !refused.contains("secret"), "{refused}");
}

#[test]
fn what_anybody_tries_first_is_weak() {
    for it in [
        "password",
        "Password1!",
        "P@ssw0rd",
        "p4$$w0rd123",
        "12345678",
        "123456789",
        "87654321",
        "qwertyuiop",
        "qwerty123",
        "asdfghjkl",
        "1q2w3e4r",
        "1qaz2wsx",
        "zaq12wsx",
        "aaaaaaaa",
        "abababab",
        "abcabcabc",
        "19851124",
        "2026-11-21",
        "iloveyou",
        "ILoveYou2",
        "letmein!!",
        "Sommer2026",
        "summer2026!",
        "passwort1",
        "motdepasse",
        "пароль123",
        "йцукенгш",
        "trustno1",
        "monkey123",
        "dragon12",
        "welcome1",
        "Football99",
        "        ",
        "parlorparlor",
        "password password",
        "adminadmin",
        "abcd1234",
        "abc12345",
        "qwe123asd",
    ] {
        assert_eq!(password(it).weakness("Ann"), Some(Refusal::PasswordWeak), "{it}");
    }
}

#[test]
fn what_is_little_more_than_the_name_is_weak() {
    for (name, it) in [
        ("Katharina", "katharina"),
        ("Katharina", "Katharina1987"),
        ("Katharina", "anirahtaK!"),
        ("Katharina", "k4th4rin4"),
        ("Zoë Löwe", "zoelowe1"),
        ("Ann Lee", "annleeannlee"),
        ("Ann", "ann-2026-ann"),
        ("陳大文陳大文", "陳大文陳大文1"),
        ("Katharina", "xKatharinax"),
    ] {
        assert_eq!(password(it).weakness(name), Some(Refusal::PasswordWeak), "{name} {it}");
    }
    for (name, it) in
        [("Katharina", "katharina likes tea"), ("Al", "salted caramel"), ("", "salted caramel")]
    {
        assert_eq!(password(it).weakness(name), None, "{name} {it}");
    }
}

#[test]
fn what_somebody_thought_up_is_fine() {
    for it in [
        "correct horse battery staple",
        "tr0ub4dor&3",
        "Xk9#mQ2v",
        "zwei Igel im Nebel",
        "kd83-jfu2",
        "r2d2c3po4lom",
        "дважды два пять",
        "犬が三匹いる",
        "mango tree 7",
        "u6Hq8sWx",
        "493027561843",
        "ein stiller Ort",
        "gL4z!nbvR",
    ] {
        assert_eq!(password(it).weakness("Ann"), None, "{it}");
    }
}

#[test]
fn addresses_that_mail_can_be_sent_to() {
    for (typed, kept) in [
        ("ann@example.org", "ann@example.org"),
        (" Ann.Lee+chat@EXAMPLE.Org ", "Ann.Lee+chat@example.org"),
        ("o'neil@mail.example", "o'neil@mail.example"),
        ("root@localhost", "root@localhost"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    ] {
        assert_eq!(
            EmailAddress::from_str(typed).map(|it| it.as_str().to_owned()),
            Ok(kept.to_owned())
        );
    }
    let longest = format!(
        "{}@{}.example",
        "l".repeat(64),
        ["d".repeat(60), "d".repeat(60), "d".repeat(60 - 2)].join(".")
    );
    assert_eq!(longest.len(), EMAIL_BYTES_MAX - 1);
    assert!(EmailAddress::from_str(&longest).is_ok());
    for wrong in [
        "",
        "@",
        "ann",
        "ann@",
        "@example.org",
        "ann@@example.org",
        "a b@example.org",
        ".ann@example.org",
        "ann.@example.org",
        "a..b@example.org",
        "\"ann\"@example.org",
        "ann@example..org",
        "ann@-example.org",
        "ann@example.org.",
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        "ann@exa_mple.org",
        "ann@example.org\r\nBcc: bob@example.org",
        "ann\r\n@example.org",
        "ann@exam\nple.org",
        "ann@example.org, bob@example.org",
        "Ann <ann@example.org>",
        "ann@bücher.example",
        "änn@example.org",
        "ann\0@example.org",
        &format!("{}@example.org", "l".repeat(65)),
        &format!("ann@{}.org", "d".repeat(64)),
        &format!("a{longest}.d"),
    ] {
        assert_eq!(EmailAddress::from_str(wrong), Err(Refusal::BadEmail), "{wrong:?}");
    }
    let printed = format!("{:?}", EmailAddress::from_str("ann@example.org"));
    assert!(printed.contains("…@example.org") && !printed.contains("ann"), "{printed}");
}

proptest! {
    /// What is taken fits between the brackets of an SMTP command, whatever was typed.
    #[test]
    fn an_address_never_ends_a_line(text in "\\PC{0,20}@\\PC{0,20}|(?s).{0,20}@.{0,20}|[a-z\\r\\n<> .@]{3,20}") {
        if let Ok(parsed) = EmailAddress::from_str(&text) {
            prop_assert!(parsed.as_str().bytes().all(|it| it.is_ascii_graphic() && !b"<>\"(),:;[\\]".contains(&it)));
            prop_assert!(parsed.as_str().len() <= EMAIL_BYTES_MAX);
            prop_assert_eq!(EmailAddress::from_str(parsed.as_str()), Ok(parsed));
        }
    }

    #[test]
    fn a_password_that_was_taken_is_taken_again(text in "\\PC{0,40}", name in "\\PC{0,20}") {
        if let Ok(parsed) = Password::from_str(&text) {
            let again = std::str::from_utf8(parsed.as_bytes()).expect("UTF-8").parse::<Password>();
            prop_assert_eq!(again, Ok(parsed.clone()));
            let same = format!("{text}{text}");
            prop_assert!(Password::from_str(&same).is_ok());
            let refusals = [parsed.weakness(&name), parsed.weakness(&text)];
            prop_assert!(refusals.iter().flatten().all(|it| *it == Refusal::PasswordWeak));
        }
    }
}

//! What is written in a letter. Every sentence that leaves the house by mail stands here.

use std::fmt;

use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, MessageBuilder};
use parlor_shared::{EmailAddress, UnixMillis, UserName};
use serde::{Deserialize, Serialize};

use super::MailConfig;

/// A letter's number in the outbox, never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LetterId(pub u64);

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One letter in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    pub id: LetterId,
    pub to: EmailAddress,
    pub words: Words,
    /// When it was put into the outbox.
    pub made_at: UnixMillis,
    /// Tries that failed.
    pub tries: u32,
}

/// A one-time code as a person types it. Never printed; serialised for the outbox only.
#[derive(Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Code(pub String);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What it is about. Serialised, it is a row of the outbox.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Words {
    /// Is this address yours?
    Verify { name: UserName, code: Code, minutes: u32 },
    /// Somebody forgot a password.
    Reset { name: UserName, code: Code, minutes: u32 },
    /// The password is another one now, and all sessions ended.
    PasswordChanged { name: UserName },
    /// The account's address is another one now; goes to the one before.
    EmailChanged { name: UserName },
}

impl Words {
    fn subject(&self, place: &str) -> String {
        let what = match self {
            Self::Verify { .. } => "Confirm your e-mail address",
            Self::Reset { .. } => "Set a new password",
            Self::PasswordChanged { .. } => "Your password was changed",
            Self::EmailChanged { .. } => "Your e-mail address was changed",
        };
        format!("{what} on {place}")
    }

    fn body(&self, place: &str) -> String {
        let (name, words) = match self {
            Self::Verify { name, code, minutes } => (
                name,
                format!(
                    "somebody, probably you, gave this e-mail address for your account on {place}.\n\
                     To confirm it, type this code in Parlor within {minutes} minutes:\n\n    {}\n\n\
                     If it was not you, do nothing: without the code nothing happens.",
                    code.0
                ),
            ),
            Self::Reset { name, code, minutes } => (
                name,
                format!(
                    "somebody, probably you, forgot the password of your account on {place}.\n\
                     To set a new one, type this code in Parlor within {minutes} minutes:\n\n    {}\n\n\
                     If it was not you, do nothing: your password stays as it is. Never tell the \
                     code to anybody.",
                    code.0
                ),
            ),
            Self::PasswordChanged { name } => (
                name,
                format!(
                    "the password of your account on {place} was changed, and all devices were \
                     signed out.\n\nIf it was not you, set a new password with \"I forgot my \
                     password\" now, and tell whoever runs that server."
                ),
            ),
            Self::EmailChanged { name } => (
                name,
                format!(
                    "the e-mail address of your account on {place} is another one now. Nothing \
                     more will come to this one.\n\nIf it was not you, tell whoever runs that \
                     server."
                ),
            ),
        };
        format!("Hello {name},\n\n{words}\n\n-- \nParlor on {place}\n")
    }
}

/// Nobody's out-of-office answers this (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The letter as it goes over the wire.
///
/// # Errors
/// When lettre takes an address for none that we took for one.
pub(super) fn compose(config: &MailConfig, letter: &Letter) -> Result<Message, String> {
    let mailbox = |name: Option<&str>, it: &EmailAddress| {
        let address = it.as_str().parse().map_err(|error| format!("{it:?}: {error}"))?;
        Ok::<_, String>(Mailbox::new(name.map(str::to_owned), address))
    };
    // The same for each try, so that a letter that was sent twice is shown once.
    let message_id =
        format!("<parlor-{}-{}@{}>", letter.id, letter.made_at.0, config.from.domain());
    MessageBuilder::new()
        .from(mailbox(Some("Parlor"), &config.from)?)
        .to(mailbox(None, &letter.to)?)
        .subject(letter.words.subject(&config.place))
        .date_now()
        .message_id(Some(message_id))
        .header(AutoSubmitted)
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.words.body(&config.place))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::mail) fn letter(name: &str) -> Letter {
        let code = Code("k7dm-29xq".to_owned());
        Letter {
            id: LetterId(7),
            to: "ann@example.org".parse().unwrap(),
            words: Words::Reset { name: name.parse().unwrap(), code, minutes: 30 },
            made_at: UnixMillis(1_763_717_000_000),
            tries: 0,
        }
    }

    #[test]
    fn nothing_of_a_letter_is_printed_that_is_nobodys_business() {
        let printed = format!("{:?}", letter("Ann"));
        assert!(printed.contains("Code(…)") && printed.contains("…@example.org"), "{printed}");
        assert!(!printed.contains("k7dm") && !printed.contains("ann@"), "{printed}");
    }

    #[test]
    fn a_row_of_the_outbox_comes_back_as_it_was() {
        let words = letter("Zoë").words;
        let row = serde_json::to_string(&words).unwrap();
        assert_eq!(row, r#"{"kind":"reset","name":"Zoë","code":"k7dm-29xq","minutes":30}"#);
        assert_eq!(serde_json::from_str::<Words>(&row).unwrap(), words);
    }

    #[test]
    fn no_name_of_a_place_makes_a_header() {
        for place in ["chat\r\nBcc: eve@example.org", "chat\n\nBuy!", "чат ☕\r\n.\r\nQUIT"] {
            let config = MailConfig::for_tests(2525, place);
            let composed = compose(&config, &letter("Ann")).unwrap();
            let text = String::from_utf8(composed.formatted()).unwrap();
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            let names: Vec<&str> = head
                .split("\r\n")
                .filter(|it| !it.starts_with([' ', '\t']))
                .map(|it| it.split(':').next().unwrap())
                .collect();
            let expected = [
                "From",
                "To",
                "Subject",
                "Date",
                "Message-ID",
                "Auto-Submitted",
                "Content-Type",
                "MIME-Version",
                "Content-Transfer-Encoding",
            ];
            let mut sorted = names.clone();
            sorted.sort_unstable();
            let mut wanted = expected;
            wanted.sort_unstable();
            assert_eq!(sorted, wanted, "{head}");
        }
    }
}

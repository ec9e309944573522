//! What one asks about oneself: the account, its password and sessions, what one has read.

use serde::{Deserialize, Serialize};

use crate::{Code, EmailAddress, Password, RoomId, Seq, SessionId, UserId, UserName};

/// `recover`: sets a new password with a one-time code: a recovery code, a code from an admin, or
/// one that came by mail. Ends all sessions.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    pub name: UserName,
    pub code: Code,
    pub password: Password,
}

/// `forgot`: mails a code to an account's verified address. The answer is the same whether there
/// is one or not.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Forgot {
    pub email: EmailAddress,
}

/// `register`: the guest keeps name, rooms and everything said, as an account.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    pub password: Password,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
}

/// `change_password`: by who knows the old one.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    pub old: Password,
    pub new: Password,
}

/// `new_recovery_codes`: the old ones are worth nothing any more.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewRecoveryCodes {
    pub password: Password,
}

/// `set_email`: without an address, removes it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SetEmail {
    pub password: Password,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
}

/// `verify_email`: with the code that came by mail.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyEmail {
    pub code: Code,
}

/// `rename`: the old name stays reserved for its last holder for 30 days.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    pub name: UserName,
}

/// `delete_account`: an account needs its password, a guest has none.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    pub messages: WhatOfMessages,
}

/// What becomes of what somebody said who goes for good.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhatOfMessages {
    /// It stays, under "former user".
    Keep,
    /// The texts are erased; their places stay.
    Erase,
}

/// `sessions`: one's own, or an admin asks for somebody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// `end_session`: one's own, or an admin ends somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    pub session: SessionId,
}

/// `end_sessions`: all of one's own but this one; with `user` all of theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndSessions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// `read`: everything in the room up to there was read. Never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    pub room: RoomId,
    pub seq: Seq,
}

/// `mine`: the own stream's events after that place.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mine {
    pub after: Seq,
}

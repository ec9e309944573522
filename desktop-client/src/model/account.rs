//! One's own account: registering, password, codes, mail address, name, sessions, and its end.
//!
//! One deed at a time, so that an answer can only belong to what the form shows.
//!
//! Invariant: passwords pass through and stay nowhere; recovery codes stay until the person says
//! that they have them, and only in memory.

use std::str::FromStr;

use parlor_shared::reply::SessionEntry;
use parlor_shared::request::{
    ChangePassword, Claim, DeleteAccount, EndSession, EndSessions, NewRecoveryCodes, Nothing,
    Register, Rename, Sessions, SetEmail, VerifyEmail, WhatOfMessages,
};
use parlor_shared::{
    Code, EmailAddress, Password, Refusal, Reply, Request, Role, SessionId as ServerSessionId,
    UserName,
};

use super::asked::Asked;
use super::effect::{Effect, Keep, Turn};
use super::{Joining, Model, Secret, Stage, Told, Trouble};

/// What is known of one's account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// What the server says of it; nothing before it was asked.
    pub shown: Option<Shown>,
    /// One's own sessions, where they were asked for.
    pub sessions: Option<Vec<SessionEntry>>,
    /// Recovery codes that have just been made: shown this once, until the person has them.
    pub codes: Vec<Code>,
    /// What is being done.
    pub deed: Option<Deed>,
    /// What became of the latest.
    pub outcome: Option<(Deed, Result<Outcome, Trouble>)>,
    is_wanted: bool,
    sessions_wanted: bool,
}

/// What the server says of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub email: Option<EmailAddress>,
    pub verified: bool,
    pub codes_left: u64,
}

/// What can be done with an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    Register,
    ChangePassword,
    NewCodes,
    SetEmail,
    VerifyEmail,
    Rename,
    EndSessions,
    Claim,
    Delete,
}

/// How it went well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    Done,
    /// A code is on its way by mail.
    MailComes,
    /// So many sessions were ended.
    SessionsEnded(u64),
}

/// What the person wants with the account. Texts come as they were typed.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountWish {
    /// The page was opened: ask the server what it has to say.
    Look,
    Register {
        password: Secret,
        email: String,
    },
    ChangePassword {
        old: Secret,
        new: Secret,
    },
    NewCodes {
        password: Secret,
    },
    /// The codes are written down: show them no more.
    CodesKept,
    /// An empty address takes it away.
    SetEmail {
        password: Secret,
        email: String,
    },
    VerifyEmail {
        code: Secret,
    },
    Rename {
        name: String,
    },
    EndSession(ServerSessionId),
    EndOtherSessions,
    /// The code that a server prints while nobody owns it.
    Claim {
        code: Secret,
    },
    Delete {
        password: Secret,
        messages: WhatOfMessages,
    },
    /// What became of the latest was read.
    Forget,
}

impl Account {
    /// The password is being changed here, so nobody has to be told of it.
    pub(super) fn is_doing_password(&self) -> bool {
        matches!(self.deed, Some(Deed::ChangePassword))
            || matches!(self.outcome, Some((Deed::ChangePassword, Ok(_))))
    }
}

impl Model {
    pub(super) fn want_account(&mut self, wish: AccountWish, turn: &mut Turn) {
        let (deed, request) = match wish {
            AccountWish::Look => {
                self.account_changed();
                self.account.sessions_wanted = true;
                return;
            }
            AccountWish::CodesKept => return self.account.codes.clear(),
            AccountWish::Forget => return self.account.outcome = None,
            AccountWish::Register { password, email } => {
                (Deed::Register, register(&password, &email))
            }
            AccountWish::ChangePassword { old, new } => {
                (Deed::ChangePassword, change_password(&old, &new))
            }
            AccountWish::NewCodes { password } => (
                Deed::NewCodes,
                old_password(&password)
                    .map(|password| Request::NewRecoveryCodes(NewRecoveryCodes { password })),
            ),
            AccountWish::SetEmail { password, email } => {
                (Deed::SetEmail, set_email(&password, &email))
            }
            AccountWish::VerifyEmail { code } => (
                Deed::VerifyEmail,
                parse(code.as_str()).map(|code| Request::VerifyEmail(VerifyEmail { code })),
            ),
            AccountWish::Rename { name } => (
                Deed::Rename,
                name.parse::<UserName>()
                    .map_err(Trouble::BadName)
                    .map(|name| Request::Rename(Rename { name })),
            ),
            AccountWish::EndSession(session) => {
                (Deed::EndSessions, Ok(Request::EndSession(EndSession { session })))
            }
            AccountWish::EndOtherSessions => {
                (Deed::EndSessions, Ok(Request::EndSessions(EndSessions { user: None })))
            }
            AccountWish::Claim { code } => {
                (Deed::Claim, parse(code.as_str()).map(|code| Request::Claim(Claim { code })))
            }
            AccountWish::Delete { password, messages } => {
                let is_account = self.me.as_ref().is_some_and(|it| it.account);
                (Deed::Delete, delete(&password, messages, is_account))
            }
        };
        self.do_with_account(deed, request, turn);
    }

    fn do_with_account(&mut self, deed: Deed, request: Result<Request, Trouble>, turn: &mut Turn) {
        if self.account.deed.is_some() {
            return;
        }
        let request = if self.is_online() { request } else { Err(Trouble::NotConnected) };
        match request {
            Ok(request) => {
                (self.account.deed, self.account.outcome) = (Some(deed), None);
                self.asked.ask(request, Asked::Account(deed), turn);
            }
            Err(trouble) => self.account.outcome = Some((deed, Err(trouble))),
        }
    }

    /// Something about the account is other than it was shown.
    pub(super) fn account_changed(&mut self) {
        self.account.is_wanted = self.me.as_ref().is_some_and(|it| it.account);
    }

    /// Asks for what the account page shows.
    pub(super) fn ask_about_account(&mut self, turn: &mut Turn) {
        if std::mem::take(&mut self.account.is_wanted) {
            self.asked.ask(Request::Account(Nothing {}), Asked::ShowAccount, turn);
        }
        if std::mem::take(&mut self.account.sessions_wanted) {
            let request = Request::Sessions(Sessions { user: None });
            self.asked.ask(request, Asked::OwnSessions, turn);
        }
    }

    /// What the server says of the account. False: it makes no sense.
    #[must_use]
    pub(super) fn account_shown(&mut self, reply: Reply) -> bool {
        let Reply::Account { email, verified, codes_left } = reply else { return false };
        self.account.shown = Some(Shown { email, verified, codes_left });
        true
    }

    /// The deed is done. False: the answer makes no sense.
    #[must_use]
    pub(super) fn account_done(&mut self, deed: Deed, reply: Reply, turn: &mut Turn) -> bool {
        let outcome = match (deed, reply) {
            (Deed::Register, Reply::Registered { codes, mail }) => {
                self.account.codes = codes;
                self.is_registered();
                self.keep_own(turn);
                if mail { Outcome::MailComes } else { Outcome::Done }
            }
            (Deed::ChangePassword, Reply::PasswordChanged { sessions_ended }) => {
                self.account.sessions_wanted = true;
                Outcome::SessionsEnded(sessions_ended)
            }
            (Deed::NewCodes, Reply::RecoveryCodes { codes }) => {
                self.account.codes = codes;
                Outcome::Done
            }
            (Deed::SetEmail, Reply::EmailSet { mail: true }) => Outcome::MailComes,
            (Deed::SetEmail, Reply::EmailSet { mail: false })
            | (Deed::VerifyEmail, Reply::EmailVerified { .. }) => Outcome::Done,
            (Deed::Rename, Reply::Renamed { name }) => {
                self.is_called(name, turn);
                Outcome::Done
            }
            (Deed::EndSessions, Reply::SessionsEnded { count }) => {
                self.account.sessions_wanted = true;
                Outcome::SessionsEnded(count)
            }
            (Deed::Claim, Reply::Done {}) => {
                self.is_given_role(Role::Owner);
                Outcome::Done
            }
            (Deed::Delete, Reply::AccountDeleted {}) => {
                self.account_deleted(turn);
                return true;
            }
            _ => return false,
        };
        self.account.deed = None;
        self.account.outcome = Some((deed, Ok(outcome)));
        self.account_changed();
        true
    }

    pub(super) fn account_refused(&mut self, deed: Deed, refusal: Refusal) {
        self.account.deed = None;
        let trouble = match (deed, refusal) {
            (Deed::Rename, Refusal::NameTaken { suggestion }) => {
                Trouble::NameTaken { name: String::new(), suggestion }
            }
            (_, refusal) => Trouble::Refused(refusal),
        };
        self.account.outcome = Some((deed, Err(trouble)));
    }

    /// The connection is gone, and with it the answer.
    pub(super) fn lose_account(&mut self) {
        if let Some(deed) = self.account.deed.take() {
            self.account.outcome = Some((deed, Err(Trouble::NotConnected)));
        }
    }

    pub(super) fn is_registered(&mut self) {
        self.own.account = true;
        if let Some(me) = &mut self.me {
            me.account = true;
            me.role = me.role.max(Role::Member);
            self.own.role = me.role;
        }
        self.account_changed();
    }

    pub(super) fn is_given_role(&mut self, role: Role) {
        self.own.role = role;
        if let Some(me) = &mut self.me {
            me.role = role;
        }
    }

    /// One has another name.
    pub(super) fn is_called(&mut self, name: UserName, turn: &mut Turn) {
        let Some(me) = &mut self.me else { return };
        if me.name == name {
            return;
        }
        me.name = name.clone();
        if let Some(session) = self.sessions.iter_mut().find(|it| Some(it.id) == self.session) {
            session.name = name;
            turn.keep(Keep::Session(session.clone()));
        }
    }

    /// The account is no more: nothing of it is kept here either.
    fn account_deleted(&mut self, turn: &mut Turn) {
        if let Some(id) = self.session {
            self.sessions.retain(|it| it.id != id);
            turn.keep(Keep::ForgetSession(id));
        }
        turn.effects.push(Effect::Disconnect);
        let address = self.server.as_ref().map(ToString::to_string).unwrap_or_default();
        self.stage =
            Stage::Joining(Joining { address, told: Some(Told::Deleted), ..Joining::default() });
        self.lose(None, turn);
        self.unload();
    }
}

fn parse<T: FromStr<Err = Refusal>>(text: &str) -> Result<T, Trouble> {
    text.trim().parse().map_err(Trouble::Refused)
}

/// A new password; why not is worth a sentence of its own.
fn password(typed: &Secret) -> Result<Password, Trouble> {
    typed.as_str().parse().map_err(Trouble::Refused)
}

/// The password that one has: whatever its length, a wrong one is wrong.
fn old_password(typed: &Secret) -> Result<Password, Trouble> {
    typed.as_str().parse().map_err(|_too_short: Refusal| Trouble::Refused(Refusal::WrongPassword))
}

fn optional_email(typed: &str) -> Result<Option<EmailAddress>, Trouble> {
    if typed.trim().is_empty() { Ok(None) } else { parse(typed).map(Some) }
}

fn register(typed: &Secret, email: &str) -> Result<Request, Trouble> {
    let (password, email) = (password(typed)?, optional_email(email)?);
    Ok(Request::Register(Register { password, email }))
}

fn change_password(old: &Secret, new: &Secret) -> Result<Request, Trouble> {
    let (old, new) = (old_password(old)?, password(new)?);
    Ok(Request::ChangePassword(ChangePassword { old, new }))
}

fn set_email(typed: &Secret, email: &str) -> Result<Request, Trouble> {
    let (password, email) = (old_password(typed)?, optional_email(email)?);
    Ok(Request::SetEmail(SetEmail { password, email }))
}

fn delete(typed: &Secret, messages: WhatOfMessages, is_account: bool) -> Result<Request, Trouble> {
    let password = is_account.then(|| old_password(typed)).transpose()?;
    Ok(Request::DeleteAccount(DeleteAccount { password, messages }))
}

//! Ways in other than under a free name: with a password, with an invitation, and with a code by
//! somebody who forgot the password.
//!
//! Invariant: a password or a code waits in the greeting from the click to the hello, and is
//! gone from there with the answer, whichever it is.

use parlor_shared::request::{Forgot, Nothing, Recover};
use parlor_shared::{Code, EmailAddress, Password, Refusal, Reply, Request, UserName, Welcome};

use super::asked::Asked;
use super::effect::{Keep, Turn};
use super::wire::{Greeting, Phase};
use super::{Address, LinkState, Model, Secret, Session, SessionId, Stage, Trouble};

/// What the join dialog asks for, beside name and address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Way {
    /// Nothing: a guest, or somebody who comes back.
    #[default]
    Name,
    /// The account's password.
    Password,
    /// A code and a new password.
    Recover,
    /// An invitation.
    Invite,
}

/// What went well, to be said in the join dialog.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Told {
    /// If the address is known, a code is on its way to it.
    Mailed,
    /// One's account was deleted.
    Deleted,
}

/// How somebody wants to come in who has more than a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Entrance {
    Password(Secret),
    Invite(Secret),
    Recover { code: Secret, password: Secret },
}

impl Model {
    /// Comes in with a password, an invitation or a code.
    pub(super) fn enter_with(
        &mut self,
        (name, address): (&str, &str),
        entrance: &Entrance,
        turn: &mut Turn,
    ) {
        let Some((name, address)) = self.take_fields(name, address) else { return };
        let (way, greeting) = match entrance {
            Entrance::Password(typed) => (Way::Password, with_password(name, typed)),
            Entrance::Invite(typed) => (Way::Invite, with_invite(name, typed)),
            Entrance::Recover { code, password } => (Way::Recover, with_code(name, code, password)),
        };
        self.joining().way = way;
        match greeting {
            Ok(greeting) => self.join_as(greeting, address, turn),
            Err(refusal) => self.joining().refused = Some(Trouble::Refused(refusal)),
        }
    }

    /// Asks for a code by mail.
    pub(super) fn ask_for_code(&mut self, address: &str, email: &str, turn: &mut Turn) {
        if self.stage == Stage::Talking {
            return;
        }
        address.clone_into(&mut self.joining().address);
        match (address.parse::<Address>(), email.parse::<EmailAddress>()) {
            (Err(_), _) => self.joining().refused = Some(Trouble::BadAddress),
            (_, Err(refusal)) => self.joining().refused = Some(Trouble::Refused(refusal)),
            (Ok(address), Ok(email)) => {
                let joining = self.joining();
                (joining.busy, joining.refused, joining.told) = (true, None, None);
                self.server = Some(address);
                self.wire.greeting = Some(Greeting::Forgot(email));
                self.connect(turn);
            }
        }
    }

    pub(super) fn choose_way(&mut self, way: Way) {
        if let Stage::Joining(joining) = &mut self.stage
            && !joining.busy
        {
            joining.way = way;
            (joining.refused, joining.told) = (None, None);
        }
    }

    /// What is asked before a hello. True: something was.
    pub(super) fn greet_as_stranger(&mut self, turn: &mut Turn) -> bool {
        let (request, asked) = match &self.wire.greeting {
            Some(Greeting::Recover { name, code, password }) => {
                let (name, code, password) = (name.clone(), *code, password.clone());
                (Request::Recover(Recover { name, code, password }), Asked::Recover)
            }
            Some(Greeting::Forgot(email)) => {
                (Request::Forgot(Forgot { email: email.clone() }), Asked::Forgot)
            }
            Some(Greeting::Guest { .. } | Greeting::Back(_) | Greeting::Password { .. }) | None => {
                return false;
            }
        };
        self.wire.phase = Phase::Greeting;
        self.asked.ask(request, asked, turn);
        true
    }

    /// The new password holds: signs in with it.
    pub(super) fn recovered(&mut self, turn: &mut Turn) {
        if let Some(Greeting::Recover { name, password, .. }) = self.wire.greeting.take() {
            self.wire.greeting = Some(Greeting::Password { name, password });
            self.greet(turn);
        }
    }

    /// A code is on its way, if there is such an address.
    pub(super) fn code_is_mailed(&mut self, turn: &mut Turn) {
        self.drop_link(turn);
        let joining = self.joining();
        (joining.told, joining.way) = (Some(Told::Mailed), Way::Recover);
        self.lose(None, turn);
    }

    /// What the dialog offers after this "no".
    #[expect(clippy::wildcard_enum_match_arm, reason = "after every other no it stays as it is")]
    pub(super) fn offer_way(&mut self, refusal: &Refusal) {
        let has_account = self.own.account;
        let way = match refusal {
            Refusal::RegisteredOnly => Way::Password,
            Refusal::SessionEnded | Refusal::TokenUnknown if has_account => Way::Password,
            Refusal::NameTaken { .. } if has_account => Way::Password,
            Refusal::InviteNeeded => Way::Invite,
            _ => return,
        };
        self.joining().way = way;
    }

    /// This profile knows this user on this server as another sign-in than the one that is
    /// loaded: comes back as that one, so that its rooms, drafts and outbox go on. True: it does.
    pub(super) fn is_known_otherwise(&mut self, welcome: &mut Welcome, turn: &mut Turn) -> bool {
        let is_same = |it: &Session| {
            Some(&it.address) == self.server.as_ref()
                && it.user == welcome.user
                && it.epoch == welcome.epoch
        };
        if matches!(self.wire.greeting, Some(Greeting::Back(_))) {
            return false;
        }
        let Some(at) = self.sessions.iter().position(is_same) else { return false };
        if Some(self.sessions[at].id) == self.session {
            return false;
        }
        let Some(token) = welcome.token.take() else { return false };
        let session = &mut self.sessions[at];
        (session.token, session.name) = (Some(token), welcome.name.clone());
        turn.keep(Keep::Session(session.clone()));
        let id = session.id;
        self.drop_link(turn);
        self.lose(None, turn);
        self.joining().busy = true;
        self.wire.greeting = Some(Greeting::Back(id));
        self.open_session(id, turn);
        true
    }

    /// Reads what is kept of a sign-in, then connects.
    pub(super) fn open_session(&mut self, id: SessionId, turn: &mut Turn) {
        self.unload();
        self.wire.opening = Some(id);
        turn.keep(Keep::OpenSession(id));
    }

    /// Ends the session: its token is worth nothing any more, here and on the server.
    pub(super) fn end_own_session(&mut self, turn: &mut Turn) {
        self.asked.ask(Request::SignOut(Nothing {}), Asked::Goodbye, turn);
        self.wire.phase = Phase::Farewell;
        self.link = LinkState::Offline { retry_at: None };
    }

    /// The last word of a connection that signs out.
    pub(super) fn is_last_word(reply: &Reply) -> bool {
        matches!(reply, Reply::Goodbye {} | Reply::SignedOut {})
    }
}

fn with_password(name: UserName, typed: &Secret) -> Result<Greeting, Refusal> {
    // Whatever its length: a wrong one is wrong.
    let password = typed.as_str().parse().map_err(|_too_short: Refusal| Refusal::WrongPassword)?;
    Ok(Greeting::Password { name, password })
}

fn with_invite(name: UserName, typed: &Secret) -> Result<Greeting, Refusal> {
    let invite = Some(typed.as_str().parse()?);
    Ok(Greeting::Guest { name, invite })
}

fn with_code(name: UserName, code: &Secret, typed: &Secret) -> Result<Greeting, Refusal> {
    let (code, password): (Code, Password) = (code.as_str().parse()?, typed.as_str().parse()?);
    Ok(Greeting::Recover { name, code, password })
}

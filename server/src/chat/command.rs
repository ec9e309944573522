//! What enters the chat: who asks what, when, and the facts that were looked up for it.

use std::net::IpAddr;
use std::sync::Arc;

use parlor_shared::event::{CodeKind, MailState};
use parlor_shared::request::Request;
use parlor_shared::{
    ClientId, Code, EmailAddress, InviteId, Label, Nth, RequestId, ResumeToken, RoomId, Seq, Text,
    UnixMillis, UserId, UserName,
};
use sha2::{Digest as _, Sha256};

/// One connection of one client, from accept to its end. Never used twice by one process.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// Milliseconds of a clock that only goes forward, since some start.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Monotonic(pub u64);

/// SHA-256 of a token or a code: all that is ever kept of it. Both have so many random bits that
/// nothing slower is needed, and a look-up by it tells an attacker nothing: whoever can choose the
/// hash knows the secret.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    #[must_use]
    pub fn of_token(token: &ResumeToken) -> Self {
        Self(Sha256::digest(token.0).into())
    }

    #[must_use]
    pub fn of_code(code: &Code) -> Self {
        Self(Sha256::digest(code.as_bytes()).into())
    }
}

/// A password as it is stored: Argon2id with its salt and parameters, in the usual notation.
#[derive(Clone, Eq, PartialEq)]
pub struct PasswordHash(pub Box<str>);

impl PasswordHash {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Somebody's password was right, when it was the so-manieth one: a password that was changed in
/// between proves nothing any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Proof {
    pub user: UserId,
    pub credential: u64,
}

/// From where a connection comes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct From {
    pub source: IpAddr,
    /// Nobody can listen in: encrypted, or from this machine itself.
    pub is_private: bool,
    pub device: Option<Label>,
}

/// What the connection's own thread made for a request, since the chat makes nothing up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Brought {
    /// Of the new password in the request.
    pub password: Option<PasswordHash>,
    /// The old password in the request was right.
    pub proof: Option<Proof>,
    /// Fresh ones.
    pub codes: Vec<Code>,
    /// Mail can be sent.
    pub has_mail: bool,
}

/// Something to be decided, with everything from outside that the decision needs.
#[derive(Clone, Debug)]
pub struct Command {
    /// For everything that lasts within this process.
    pub now: Monotonic,
    /// For everything that is shown or must outlive a restart.
    pub at: UnixMillis,
    pub act: Act,
}

impl Command {
    /// Adds the answer to what [`super::Chat::needs`] asked.
    pub fn learn(&mut self, found: Fact) {
        match &mut self.act {
            Act::Ask { fact, .. }
            | Act::Mailed { fact, .. }
            | Act::Hello { arrival: Arrival::Guest { fact, .. }, .. } => *fact = Some(found),
            Act::Hello { .. }
            | Act::Lost { .. }
            | Act::Forgot { .. }
            | Act::Tick
            | Act::Stop { .. } => {}
        }
    }
}

/// What a command is about.
#[derive(Clone, Debug)]
pub enum Act {
    /// A connection wants to sign in.
    Hello { connection: ConnectionId, id: RequestId, arrival: Arrival, from: From },
    /// A connection asks; most requests are for those who are signed in.
    Ask {
        connection: ConnectionId,
        id: RequestId,
        request: Request,
        brought: Box<Brought>,
        fact: Option<Fact>,
    },
    /// A stranger asks for a mail with a fresh code. It was answered already: what the answer
    /// takes must not tell whether the address is known.
    Forgot { email: EmailAddress, code: Code },
    /// What became of a mail.
    Mailed { mail: u64, state: MailState, fact: Option<Fact> },
    /// A connection ended, for whatever reason.
    Lost { connection: ConnectionId },
    /// Time passed: [`super::Chat::next_wakeup`] was reached.
    Tick,
    /// The server stops; `random` spreads the clients' return.
    Stop { random: u64 },
}

impl Act {
    /// The connection that it is about.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Hello { connection, .. }
            | Self::Ask { connection, .. }
            | Self::Lost { connection } => Some(*connection),
            Self::Forgot { .. } | Self::Mailed { .. } | Self::Tick | Self::Stop { .. } => None,
        }
    }
}

/// Who comes.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// A new guest, with a fresh token made for it.
    Guest { name: UserName, token: ResumeToken, invite: Option<TokenHash>, fact: Option<Fact> },
    /// Somebody with a token from an earlier visit.
    Known { hash: TokenHash },
    /// Somebody with an account's password, and a fresh token made for the new session.
    Account { proof: Proof, token: ResumeToken },
    /// The shell of this machine, with the credential that lies in the data folder.
    Shell,
}

/// What [`super::Chat::needs`] wants to know before a command is applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// Was this client id of this author used, and what is its device's highest?
    ClientId { author: UserId, client_id: ClientId },
    /// What is this code good for?
    Code { hash: TokenHash },
    /// How many messages had the room up to that place?
    NthAt { room: RoomId, seq: Seq },
    /// How many recovery codes has the user left?
    CodesLeft { user: UserId },
    /// The rooms in which that user ever said something.
    RoomsOf { user: UserId },
    /// Whom was that mail for?
    Mail { mail: u64 },
    /// How many invitations are good at that time, and is that one among them?
    Invites { at: UnixMillis, one: Option<InviteId> },
}

/// The answer to a [`Question`], from inside the open transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    ClientId { known: Option<Arc<KnownMessage>>, highest: Option<u64> },
    Code(Option<KnownCode>),
    NthAt(Option<Nth>),
    CodesLeft(u64),
    RoomsOf(Vec<RoomId>),
    Mail(Option<KnownMail>),
    Invites { count: u64, has_one: bool },
}

/// What a code that is still good is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KnownCode {
    /// Sets that user's password.
    Reset { user: UserId, kind: CodeKind },
    /// Proves that user's mail address.
    Verify { user: UserId, email: EmailAddress },
    /// Lets so many come in.
    Invite { invite: InviteId, uses_left: u64 },
}

/// A mail that waits to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownMail {
    pub user: UserId,
    pub to: EmailAddress,
    /// Of the code in it.
    pub code: TokenHash,
}

/// A message that a client id led to.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownMessage {
    pub room: RoomId,
    pub seq: Seq,
    pub nth: Nth,
    pub at: UnixMillis,
    /// Nothing when it was erased.
    pub text: Option<Text>,
    /// It was announced, not said.
    pub is_announcement: bool,
}

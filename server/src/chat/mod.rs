//! The chat itself: who is where, who may do what, who hears what.
//!
//! One function, [`Chat::apply`]: a command in, effects out. Pure: the time, tokens and looked-up
//! facts come in with the command. On several machines the same commands in the same order would
//! make the same chat.
//!
//! Invariant: no message text is kept here; SQLite remembers what was said.
//! Invariant: an event's audience is decided at its place in the order, by `Listen` and
//! `Unlisten` effects around it, never by a list of hearers.

pub mod access;
mod accounts;
mod ask;
mod codes;
mod command;
mod durable;
mod effect;
mod house;
mod moderation;
mod names;
mod needs;
mod own_stream;
mod presence;
mod rooms;
mod sessions;
mod sign_in;
mod stored;
mod talk;

use std::collections::BTreeSet;
use std::sync::Arc;

use parlor_shared::{
    Epoch, Fact as Happening, Limits, Notice, Refusal, Reply, RequestId, RoomEvent, RoomId, Seq,
    ServerFrame, UnixMillis, UserId,
};

pub use codes::RECOVERY_CODES;
pub use command::{
    Act, Arrival, Brought, Command, ConnectionId, Fact, From, KnownCode, KnownMail, KnownMessage,
    Monotonic, PasswordHash, Proof, Question, TokenHash,
};
pub use effect::{
    Audited, Effect, Heard, MailText, Purpose, Record, StoredBan, StoredMute, StoredSession, Topic,
    Whom,
};
pub use stored::{LastIds, Stored, StoredAccount, StoredMember, StoredRoom, StoredUser};

use durable::Durable;
use presence::{Live, Loss};

/// Who speaks for the house: the shell of the server's own machine. No user has this id.
pub const SHELL: UserId = UserId(0);

const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * 1000;
/// A clock that goes back by less is waited for; by more, and the new time is believed.
const CLOCK_STEP_HIDDEN_MILLIS: u64 = 5 * 60 * 1000;
/// An active user's last-seen time is saved this often, so that a crash cannot age it much.
const SEEN_EVERY_MILLIS: u64 = 24 * 60 * 60 * 1000;
/// The widest spread of the clients' return after a stop.
const RETURN_SPREAD_MILLIS: u64 = 5_000;
/// Part of the spread that one connection is worth.
const RETURN_PER_CONNECTION_MILLIS: u64 = 5;

/// See the module.
#[derive(Clone, Debug)]
pub struct Chat {
    durable: Durable,
    live: Live,
    limits: Arc<Limits>,
    /// Of the code with which somebody becomes the owner, while there is none.
    claim: Option<TokenHash>,
}

impl PartialEq for Chat {
    /// Compares what is on disk; who is connected is no part of it.
    fn eq(&self, other: &Self) -> bool {
        self.durable == other.durable
    }
}

impl Chat {
    /// The chat as it was stored; nobody is here yet.
    #[must_use]
    pub fn new(stored: Stored, limits: Arc<Limits>) -> Self {
        let live = Live::new(stored.last_at);
        Self { durable: Durable::new(stored), live, limits, claim: None }
    }

    /// When [`Act::Tick`] is due next.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Monotonic> {
        self.live.next_wakeup()
    }

    /// While nobody owns this server, that code makes an owner of whoever has it.
    pub fn may_be_claimed_with(&mut self, code: TokenHash) {
        self.claim = Some(code);
    }

    /// Somebody owns this server.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        self.owners() > 0
    }

    /// Decides one command. At most one `Reply` per request; saves come before what they allow.
    pub fn apply(&mut self, command: Command) -> Vec<Effect> {
        let mut out = Vec::with_capacity(4);
        let at = self.stamp(command.at);
        match command.act {
            Act::Hello { connection, id, arrival, from } => {
                self.hello((connection, id), arrival, from, at, &mut out);
            }
            Act::Ask { connection, id, request, brought, fact } => {
                let user = self.live.user_of(connection);
                if let Some(user) = user {
                    self.note_seen(user, at, &mut out);
                    self.note_used(connection, at, &mut out);
                }
                let asked = Asked { connection, user: user.unwrap_or(SHELL), id, at };
                self.ask(asked, user.is_some(), request, (*brought, fact), &mut out);
            }
            Act::Forgot { email, code } => self.forgot(&email, code, at, &mut out),
            Act::Mailed { mail, state, fact } => self.mailed(mail, state, fact, at, &mut out),
            Act::Lost { connection } => {
                let grace_ends = Monotonic(command.now.0 + self.limits.away_millis);
                if let Loss::Gone(user) = self.live.end(connection, Some(grace_ends)) {
                    self.gone(user, at, &mut out);
                }
                out.push(Effect::Close { connection });
            }
            Act::Tick => {
                while let Some(user) = self.live.next_gone(command.now) {
                    self.gone(user, at, &mut out);
                }
            }
            Act::Stop { random } => self.stop(random, &mut out),
        }
        out
    }

    /// After a failed commit: the durable half as it is on disk, and those who said hello in the
    /// failed batch are strangers again. Who else is connected stays connected.
    pub fn roll_back(&mut self, stored: Stored, hellos: &BTreeSet<ConnectionId>) {
        self.durable = Durable::new(stored);
        self.live.unseat(hellos);
    }

    /// The data folder's epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.durable.epoch
    }

    /// The members of a room, for tests and for the simulation.
    #[must_use]
    pub fn members_of(&self, room: RoomId) -> Vec<UserId> {
        self.durable
            .rooms
            .get(&room)
            .map(|it| it.members.keys().copied().collect())
            .unwrap_or_default()
    }

    /// Signs the connection out: the others hear it at once, membership and place stay.
    fn goodbye(&mut self, asked: Asked, ok: Reply, out: &mut Vec<Effect>) {
        let Asked { connection, id, at, .. } = asked;
        let frame = ServerFrame::Ok { id, ok };
        out.push(Effect::Reply { to: connection, frame });
        // The answer is the last thing that this connection hears.
        for &room in self.durable.users.get(&asked.user).into_iter().flat_map(|it| &it.rooms) {
            out.push(Effect::Unlisten { connection, topic: Topic::Room(room) });
        }
        if let Loss::Gone(user) = self.live.end(connection, None) {
            self.gone(user, at, out);
        }
        out.push(Effect::Close { connection });
    }

    fn gone(&mut self, user: UserId, at: UnixMillis, out: &mut Vec<Effect>) {
        let Some(it) = self.durable.users.get_mut(&user) else { return };
        it.seen_at = at;
        out.push(Effect::Save(Record::Seen { user, at }));
        for &room in &it.rooms {
            let notice = Notice::WentAway { room, user, name: it.name.clone() };
            out.push(Effect::Publish { topic: Topic::Room(room), event: Heard::Notice(notice) });
        }
    }

    fn stop(&mut self, random: u64, out: &mut Vec<Effect>) {
        let connections: Vec<ConnectionId> = self.live.connections().collect();
        let spread = (connections.len() as u64 * RETURN_PER_CONNECTION_MILLIS)
            .clamp(1, RETURN_SPREAD_MILLIS);
        for (place, connection) in connections.into_iter().enumerate() {
            // A stride that shares no factor with the spread's usual values scatters neighbours.
            let wait_millis = random.wrapping_add(place as u64 * 2_654_435_761) % spread;
            let frame =
                ServerFrame::Event(Heard::Notice(Notice::GoingAway { wait_millis }).to_event());
            out.push(Effect::Reply { to: connection, frame });
            out.push(Effect::Close { connection });
        }
    }

    /// Gives `fact` the next place in the room, to be saved and then heard.
    ///
    /// Returns its place; `None` when the room or the author does not exist, which the callers
    /// have ruled out.
    fn happen(
        &mut self,
        room: RoomId,
        by: UserId,
        at: UnixMillis,
        fact: Happening,
        out: &mut Vec<Effect>,
    ) -> Option<Seq> {
        let name = self.durable.name_of(by)?;
        let it = self.durable.rooms.get_mut(&room)?;
        it.last_seq = it.last_seq.next();
        if let Happening::Said { nth, .. } | Happening::Announced { nth, .. } = fact {
            it.last_nth = nth;
        }
        let (seq, nth) = (it.last_seq, it.last_nth);
        let event = Arc::new(RoomEvent { room, seq, at, by, name, fact });
        out.push(Effect::Save(Record::Event { event: Arc::clone(&event), nth }));
        out.push(Effect::Publish { topic: Topic::Room(room), event: Heard::Room(event) });
        Some(seq)
    }

    /// The time that this command is given: never a little before an earlier one's.
    fn stamp(&mut self, at: UnixMillis) -> UnixMillis {
        let last = self.live.last_at;
        if at >= last || last.since(at) > CLOCK_STEP_HIDDEN_MILLIS {
            self.live.last_at = at;
        }
        self.live.last_at
    }

    fn note_seen(&mut self, user: UserId, at: UnixMillis, out: &mut Vec<Effect>) {
        if let Some(it) = self.durable.users.get_mut(&user)
            && at.since(it.seen_at) > SEEN_EVERY_MILLIS
        {
            it.seen_at = at;
            out.push(Effect::Save(Record::Seen { user, at }));
        }
    }
}

/// Who asks, and when.
#[derive(Clone, Copy, Debug)]
struct Asked {
    connection: ConnectionId,
    user: UserId,
    id: RequestId,
    at: UnixMillis,
}

fn refuse(to: ConnectionId, id: RequestId, refusal: Refusal) -> Effect {
    Effect::Reply { to, frame: ServerFrame::refused(Some(id), refusal) }
}

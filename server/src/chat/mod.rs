//! The chat itself: who is where, who may do what, who hears what.
//!
//! One function, [`Chat::apply`]: a command in, effects out. Pure: the time, tokens and looked-up
//! facts come in with the command. On several machines the same commands in the same order would
//! make the same chat.
//!
//! Invariant: no message text is kept here; SQLite remembers what was said.
//! Invariant: an event's audience is decided at its place in the order, by `Listen` and
//! `Unlisten` effects around it, never by a list of hearers.

mod command;
mod durable;
mod effect;
mod presence;
mod rooms;
mod sign_in;
mod talk;

use std::collections::BTreeSet;
use std::sync::Arc;

use parlor_shared::request::Request;
use parlor_shared::{
    Epoch, Fact as Happening, Limits, Notice, Refusal, Reply, RequestId, RoomEvent, RoomId, Seq,
    ServerFrame, UnixMillis, UserId,
};

pub use command::{
    Act, Arrival, Command, ConnectionId, Fact, KnownMessage, Monotonic, Question, TokenHash,
};
pub use durable::{Stored, StoredRoom, StoredUser};
pub use effect::{Effect, Heard, Record, Topic};

use durable::Durable;
use presence::{Live, Loss};

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
        Self { durable: Durable::new(stored), live, limits }
    }

    /// When [`Act::Tick`] is due next.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Monotonic> {
        self.live.next_wakeup()
    }

    /// What has to be looked up, in the open transaction, right before `command` is applied.
    #[must_use]
    pub fn needs(&self, command: &Command) -> Option<Question> {
        let Act::Ask { connection, request: Request::Say(say), .. } = &command.act else {
            return None;
        };
        let author = self.live.user_of(*connection)?;
        let devices = &self.durable.users.get(&author)?.devices;
        match devices.highest(say.client_id.device) {
            Some(highest) if say.client_id.counter > highest => None,
            Some(_) | None => Some(Question::ClientId { author, client_id: say.client_id }),
        }
    }

    /// Decides one command. At most one `Reply` per request; saves come before what they allow.
    pub fn apply(&mut self, command: Command) -> Vec<Effect> {
        let mut out = Vec::with_capacity(4);
        let at = self.stamp(command.at);
        match command.act {
            Act::Hello { connection, id, arrival } => {
                self.hello(connection, id, arrival, at, &mut out);
            }
            Act::Ask { connection, id, request, fact } => {
                let Some(user) = self.live.user_of(connection) else {
                    out.push(refuse(connection, id, Refusal::HelloFirst));
                    return out;
                };
                self.note_seen(user, at, &mut out);
                let asked = Asked { connection, user, id, at };
                self.ask(asked, request, fact, &mut out);
            }
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
            .map(|it| it.members.iter().copied().collect())
            .unwrap_or_default()
    }

    fn ask(&mut self, asked: Asked, request: Request, fact: Option<Fact>, out: &mut Vec<Effect>) {
        let Asked { connection, id, .. } = asked;
        let answer = match request {
            // The connection's own thread answers these; from anywhere else they are mistakes.
            Request::Hello(_) => Err(Refusal::HelloTwice),
            Request::History(_) | Request::Rooms(_) => Err(Refusal::UnknownRequest),
            Request::Ping(_) => Ok(Reply::Pong {}),
            Request::CreateRoom(it) => self.create_room(asked, it.name, out),
            Request::Join(it) => self.join(asked, &it.name, out),
            Request::Leave(it) => self.leave(asked, it.room, out),
            Request::Members(it) => self.members(asked, it.room, it.after),
            farewell if farewell.is_farewell() => return self.goodbye(asked, out),
            Request::Say(it) => self.say(asked, it, fact, out),
            Request::Goodbye(_) => return self.goodbye(asked, out),
        };
        out.push(match answer {
            Ok(ok) => Effect::Reply { to: connection, frame: ServerFrame::Ok { id, ok } },
            Err(refusal) => refuse(connection, id, refusal),
        });
    }

    /// Signs the connection out: the others hear it at once, membership and place stay.
    fn goodbye(&mut self, asked: Asked, out: &mut Vec<Effect>) {
        let Asked { connection, id, at, .. } = asked;
        let frame = ServerFrame::Ok { id, ok: Reply::Goodbye {} };
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
        let name = self.durable.users.get(&by)?.name.clone();
        let it = self.durable.rooms.get_mut(&room)?;
        it.last_seq = it.last_seq.next();
        if let Happening::Said { nth, .. } = fact {
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

//! One room as the person sees it: who is in it, what was said, what is still to be said.

use std::collections::{BTreeMap, VecDeque};

use parlor_shared::{
    ClientId, Nth, Refusal, RoomId, RoomName, RoomRole, Seq, Text, UnixMillis, UserId, UserName,
};

use super::Timeline;
use super::people::People;
use super::sync::Sync;

/// A room one is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    pub name: RoomName,
    pub timeline: Timeline,
    pub history: History,
    pub members: BTreeMap<UserId, Member>,
    /// The room has more members than are listed.
    pub members_cut: bool,
    /// Everything up to here was seen.
    pub read_seq: Seq,
    pub read_nth: Nth,
    /// The newest event that is known to exist; the timeline may still be catching up.
    pub last_seq: Seq,
    pub last_nth: Nth,
    /// The first message that was unread when the room was opened. Does not move meanwhile.
    pub divider: Option<Seq>,
    pub draft: String,
    /// What is not yet in the timeline, in the order in which it was said.
    pub outbox: VecDeque<Pending>,
    /// False: one is no longer a member, and only what could not be sent is still shown.
    pub is_member: bool,
    /// Leaving, as soon as the outbox is empty.
    pub is_leaving: bool,
    /// What one is here.
    pub role: RoomRole,
    /// Nobody can write here any more.
    pub is_ended: bool,
    /// How far the server knows that one has read.
    pub(super) read_told: Seq,
    /// The read position is only where one came in; the server may know a better one.
    pub(super) read_is_guess: bool,
    pub(super) sync: Sync,
    pub(super) people: People,
    /// The divider belongs right after so many messages; kept while its row is not loaded.
    pub(super) divider_after: Option<Nth>,
}

/// What lies above the oldest row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum History {
    /// Older events can be asked for.
    #[default]
    More,
    /// They were asked for.
    Loading,
    /// There is nothing older.
    Complete,
    /// There is more than this app shows at once.
    Full,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub name: UserName,
    /// Has a live connection, or lost the last one a moment ago.
    pub here: bool,
    pub role: RoomRole,
    /// Cannot write here.
    pub muted: bool,
}

/// A message of one's own on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    pub client_id: ClientId,
    pub text: Text,
    /// This computer's clock when it was said.
    pub at: UnixMillis,
    pub state: PendingState,
}

/// How far a message has come.
#[derive(Clone, Debug, PartialEq)]
pub enum PendingState {
    /// On its way to this computer's disk.
    Saving,
    /// Safe on this computer; waits for the server.
    Waiting,
    /// On the wire, unanswered.
    Sent,
    /// The server has it; its event has not been read yet.
    Stored(Seq),
    /// Waits for the person's decision after the server's history changed.
    Held,
    /// The server refused it, or it could not be kept.
    Failed(Failure),
}

/// Why a message failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    Refused(Refusal),
    /// It could not be saved on this computer.
    NotKept,
}

impl Room {
    /// A room of which nothing is known but its name.
    #[must_use]
    pub fn new(name: RoomName) -> Self {
        Self {
            name,
            timeline: Timeline::default(),
            history: History::More,
            members: BTreeMap::new(),
            members_cut: false,
            read_seq: Seq(0),
            read_nth: Nth(0),
            last_seq: Seq(0),
            last_nth: Nth(0),
            divider: None,
            draft: String::new(),
            outbox: VecDeque::new(),
            is_member: true,
            is_leaving: false,
            role: RoomRole::Member,
            is_ended: false,
            read_told: Seq(0),
            read_is_guess: false,
            sync: Sync::default(),
            people: People::Unknown,
            divider_after: None,
        }
    }

    /// How many messages were not seen yet.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.last_nth.0.saturating_sub(self.read_nth.0)
    }

    /// Puts the divider before the first message that was not seen, or away.
    pub(super) fn place_divider(&mut self) {
        self.divider = None;
        self.divider_after = (self.unread() > 0).then_some(self.read_nth);
        self.find_divider();
    }

    /// Finds the divider's row, once it is loaded.
    pub(super) fn find_divider(&mut self) {
        if let Some(after) = self.divider_after
            && self.divider.is_none()
        {
            self.divider = self.timeline.seq_of_message(after.next());
        }
    }

    pub(super) fn remove_divider(&mut self) {
        (self.divider, self.divider_after) = (None, None);
    }

    /// Nothing of this room would be lost with it.
    pub(super) fn is_spent(&self) -> bool {
        self.outbox.is_empty() && self.draft.is_empty()
    }

    /// Events are known to exist that the timeline does not show yet.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        self.timeline.last_seq() < self.last_seq
    }
}

/// An open room that one could join.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub room: RoomId,
    pub name: RoomName,
    /// How many members it had when it was listed.
    pub members: u64,
}

//! The app's brain: what the person sees, as plain values, and what follows from each input.
//!
//! `Model::update` takes one [`Input`] and answers with [`Effect`]s. The view reads the model's
//! public fields and never writes them.
//!
//! Invariant: pure. No clock, file, socket, thread, log line or random number in here; the time
//! and luck come in with the input.

mod address;
mod effect;
mod input;
mod intent;
pub mod limits;
mod room;
mod timeline;
mod trouble;

use std::collections::BTreeMap;

use parlor_shared::{Epoch, RoomId, UserId, UserName};

pub use address::{Address, BadAddress};
pub use effect::{Effect, Keep};
pub use input::{
    ArchiveNews, Closed, HostNews, Input, KeptPending, KeptRoom, KeptSession, LinkNews, Moment,
    News, Opened, Session,
};
pub use intent::Intent;
pub use room::{Failure, History, Listed, Member, Pending, PendingState, Room};
pub use timeline::{Row, Timeline, What};
pub use trouble::Trouble;

/// Names one link: news of an earlier one are not mistaken for the present one's.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub u64);

/// Names a remembered sign-in of this profile.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub u32);

/// Tells answers of the archive apart.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// All that the view shows.
#[derive(Clone, Debug)]
pub struct Model {
    pub stage: Stage,
    pub link: LinkState,
    /// Who one is, once signed in.
    pub me: Option<Me>,
    /// The server that is joined or being joined.
    pub server: Option<Address>,
    /// The last thing that went wrong and was not dismissed.
    pub trouble: Option<Trouble>,
    pub rooms: BTreeMap<RoomId, Room>,
    /// The open room; always one of `rooms`.
    pub selected: Option<RoomId>,
    /// Open rooms that one is not in.
    pub directory: BTreeMap<RoomId, Listed>,
    /// Names the server's present history.
    pub epoch: Option<Epoch>,
    /// What others on the LAN type, while this computer serves the chat.
    pub hosting: Option<Vec<String>>,
    /// A question that waits for an answer.
    pub asking: Option<Question>,
}

/// Who one is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Me {
    pub user: UserId,
    pub name: UserName,
}

/// Which of the two windows is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Joining(Joining),
    Talking,
}

/// The join dialog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joining {
    /// What the fields begin with: last time's.
    pub name: String,
    pub address: String,
    /// A try is under way; [`Intent::Cancel`] ends it.
    pub busy: bool,
    /// Why the last try failed.
    pub refused: Option<Trouble>,
    /// A name that is free, to be offered.
    pub suggestion: Option<UserName>,
    /// This computer serves a chat already, to be offered.
    pub offer: Option<Address>,
}

/// How the connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkState {
    /// No connection; `retry_at` in monotonic milliseconds, where one will be tried by itself.
    Offline {
        retry_at: Option<u64>,
    },
    Connecting,
    Online,
}

/// A question to the person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// Close, although so many others are inside the chat that this computer serves?
    CloseWithOthersInside { others: usize },
    /// The server's history changed: send what is held back, so many messages?
    ResendHeld { messages: usize },
}

impl Model {
    /// The model of a profile as it was left, and the first effects.
    #[must_use]
    pub fn start(opened: Opened, moment: Moment) -> (Self, Vec<Effect>) {
        let _ = (opened, moment);
        let model = Self {
            stage: Stage::Joining(Joining::default()),
            link: LinkState::Offline { retry_at: None },
            me: None,
            server: None,
            trouble: None,
            rooms: BTreeMap::new(),
            selected: None,
            directory: BTreeMap::new(),
            epoch: None,
            hosting: None,
            asking: None,
        };
        (model, Vec::new())
    }

    /// Takes one input and says what is to be done.
    #[must_use]
    pub fn update(&mut self, input: Input) -> Vec<Effect> {
        match input.news {
            News::Intent(Intent::Select(room)) if self.rooms.contains_key(&room) => {
                self.selected = Some(room);
            }
            _ => {}
        }
        Vec::new()
    }

    /// When the model wants a [`News::Tick`], in monotonic milliseconds; never, for `None`.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        None
    }

    /// The open room.
    #[must_use]
    pub fn open_room(&self) -> Option<(RoomId, &Room)> {
        let id = self.selected?;
        Some((id, self.rooms.get(&id)?))
    }
}

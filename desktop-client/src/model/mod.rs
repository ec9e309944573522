//! The app's brain: what the person sees, as plain values, and what follows from each input.
//!
//! [`Model::update`] takes one [`Input`] and answers with [`Effect`]s. The view reads the
//! model's public fields and never writes them.
//!
//! Invariant: pure. No clock, file, socket, thread, log line or random number in here; the time
//! and luck come in with the input.

mod account;
mod address;
mod admin;
mod asked;
mod effect;
mod hosting;
mod input;
mod intent;
pub mod limits;
pub mod may;
mod membership;
mod names;
mod orders;
mod other_history;
mod outbox;
mod own_stream;
mod people;
mod pins;
mod room;
mod secret;
mod session;
mod sign_in;
mod sync;
mod timeline;
mod trouble;
mod wire;

use std::collections::BTreeMap;

use parlor_shared::{
    DeviceId, Epoch, Fingerprint, Label, Role, RoomEvent, RoomId, UserId, UserName,
};

pub use account::{Account, AccountWish, Deed, Outcome, Shown};
pub use address::{Address, BadAddress};
pub use admin::{Admin, AdminWish, Pages, Section};
pub use effect::{Effect, Keep};
pub use input::{
    ArchiveNews, Closed, FileNews, HostNews, Input, KeptPending, KeptRoom, KeptSession, LinkNews,
    Moment, News, Opened, Session,
};
pub use intent::Intent;
pub use names::Names;
pub use orders::{Order, Whom};
pub use own_stream::{Mute, Own};
pub use pins::{KeyChanged, Pin};
pub use room::{Failure, History, Listed, Member, Pending, PendingState, Room};
pub use secret::Secret;
pub use sign_in::{Entrance, Told, Way};
pub use timeline::{Row, Timeline, What, blank};
pub use trouble::Trouble;

use asked::AskedRequests;
use effect::Turn;
use wire::Wire;

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
    /// Why there is no connection just now; to be shown quietly.
    pub why_offline: Option<Trouble>,
    /// Who one is, once signed in.
    pub me: Option<Me>,
    /// The server that is joined or being joined.
    pub server: Option<Address>,
    /// The last thing that went wrong and was not dismissed.
    pub trouble: Option<Trouble>,
    pub rooms: BTreeMap<RoomId, Room>,
    /// The open room; always one of `rooms`.
    pub selected: Option<RoomId>,
    /// The open rooms of the server, those that one is in among them.
    pub directory: BTreeMap<RoomId, Listed>,
    /// Names the server's present history.
    pub epoch: Option<Epoch>,
    /// What others on the LAN type, while this computer serves the chat.
    pub hosting: Option<Vec<String>>,
    /// A question that waits for an answer.
    pub asking: Option<Question>,
    /// What people are called now.
    pub names: Names,
    /// What one's own stream led to: roles, mutes, and notices that wait to be read.
    pub own: Own,
    pub account: Account,
    pub admin: Admin,
    /// The latest that was said to everybody, until it is dismissed.
    pub announcement: Option<RoomEvent>,
    /// What became of the file that was to be written last.
    pub file: Option<FileNews>,
    /// The key of the present connection; none over a plain one.
    pub key: Option<Fingerprint>,
    /// The server showed another key than before. Nothing is sent to it until the person decides.
    pub key_changed: Option<KeyChanged>,

    device: DeviceId,
    /// The highest counter of a client id that was used.
    counter: u64,
    /// The remembered sign-ins, the latest first.
    sessions: Vec<Session>,
    pins: pins::Pins,
    /// The one that `rooms` belong to.
    session: Option<SessionId>,
    wire: Wire,
    asked: AskedRequests,
    listing: membership::Listing,
    /// The archive works. Without it nothing is sent, because nothing could be sent again.
    is_kept: bool,
    focused: bool,
    hosted: hosting::Hosted,
    next_ticket: u64,
    reading: own_stream::Reading,
    /// What the list of sessions calls this computer.
    device_name: Option<Label>,
    /// Says wait until then: the server said that it was too much at once.
    say_after: Option<u64>,
    /// The same for all other requests.
    read_after: Option<u64>,
}

/// Who one is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Me {
    pub user: UserId,
    pub name: UserName,
    pub role: Role,
    /// One has a password here.
    pub account: bool,
    /// Which session of one's account this app is.
    pub session: parlor_shared::SessionId,
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
    /// What is asked for beside name and address.
    pub way: Way,
    /// What went well.
    pub told: Option<Told>,
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
        let last = opened.sessions.first();
        let joining = Joining {
            name: last.map(|it| it.name.to_string()).unwrap_or_default(),
            address: last.map(|it| it.address.to_string()).unwrap_or_default(),
            ..Joining::default()
        };
        let mut model = Self {
            stage: Stage::Joining(joining),
            link: LinkState::Offline { retry_at: None },
            why_offline: None,
            me: None,
            server: None,
            trouble: None,
            rooms: BTreeMap::new(),
            selected: None,
            directory: BTreeMap::new(),
            epoch: None,
            hosting: None,
            asking: None,
            names: Names::default(),
            own: Own::default(),
            account: Account::default(),
            admin: Admin::default(),
            announcement: None,
            file: None,
            key: None,
            key_changed: None,
            device: opened.device,
            counter: opened.counter,
            sessions: opened.sessions,
            pins: pins::Pins::new(opened.pins),
            session: None,
            wire: Wire::default(),
            asked: AskedRequests::default(),
            listing: membership::Listing::default(),
            is_kept: true,
            focused: true,
            hosted: hosting::Hosted::default(),
            next_ticket: 0,
            reading: own_stream::Reading::default(),
            device_name: None,
            say_after: None,
            read_after: None,
        };
        let mut turn = Turn::new(moment);
        if let Some(kept) = opened.current {
            model.resume_kept(*kept, &mut turn);
        }
        model.pump(&mut turn);
        (model, turn.effects)
    }

    /// Takes one input and says what is to be done.
    #[must_use]
    pub fn update(&mut self, input: Input) -> Vec<Effect> {
        let mut turn = Turn::new(input.moment);
        match input.news {
            News::Intent(intent) => self.want(intent, &mut turn),
            News::Link(link, news) => self.hear_link(link, news, &mut turn),
            News::Archive(news) => self.hear_archive(news, &mut turn),
            News::Host(news) => self.hear_host(news, &mut turn),
            News::File(news) => self.file = Some(news),
            News::Tick => self.tick(&mut turn),
        }
        self.pump(&mut turn);
        turn.effects
    }

    /// When the model wants a [`News::Tick`], in monotonic milliseconds; never, for `None`.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        let online = self.is_online();
        let says = self.say_after.filter(|_| online && self.has_waiting());
        let reads = self.read_after.filter(|_| online);
        // Who is told to wait waits with this, too.
        let read = self.next_read().map(|at| at.max(self.read_after.unwrap_or(0)));
        let read = read.filter(|_| online);
        let retry = match self.link {
            LinkState::Offline { retry_at } => retry_at,
            LinkState::Connecting | LinkState::Online => None,
        };
        [says, reads, read, retry, self.asked.next_deadline()].into_iter().flatten().min()
    }

    /// What the list of sessions is to call this computer.
    pub fn call_device(&mut self, name: Option<Label>) {
        self.device_name = name;
    }

    /// The open room.
    #[must_use]
    pub fn open_room(&self) -> Option<(RoomId, &Room)> {
        let id = self.selected?;
        Some((id, self.rooms.get(&id)?))
    }

    /// The open rooms that one is not in, by id.
    pub fn joinable(&self) -> impl Iterator<Item = &Listed> {
        self.directory.values().filter(|it| !self.rooms.contains_key(&it.room))
    }

    fn is_online(&self) -> bool {
        self.link == LinkState::Online
    }

    fn my_id(&self) -> UserId {
        self.me.as_ref().map(|it| it.user).unwrap_or_default()
    }

    fn want(&mut self, intent: Intent, turn: &mut Turn) {
        match intent {
            Intent::Join { name, address } => self.want_join(&name, &address, turn),
            Intent::Enter { name, address, entrance } => {
                self.enter_with((&name, &address), &entrance, turn);
            }
            Intent::MailCode { address, email } => self.ask_for_code(&address, &email, turn),
            Intent::ChooseWay(way) => self.choose_way(way),
            Intent::HostHere { name } => self.want_host(&name, turn),
            Intent::Cancel => self.cancel(turn),
            Intent::Select(room) => self.select(room, turn),
            Intent::Say { room, text } => self.say(room, &text, turn),
            Intent::EditDraft { room, text } => self.edit_draft(room, text, turn),
            Intent::Retry { room, client_id } => self.retry(room, client_id, turn),
            Intent::Discard { room, client_id } => self.discard(room, client_id, turn),
            Intent::ResendHeld => self.resend_held(turn),
            Intent::DiscardHeld => self.discard_held(turn),
            Intent::OpenRoom { name } => self.want_room(&name, turn),
            Intent::JoinRoom(room) => self.join_listed(room, turn),
            Intent::LeaveRoom(room) => self.leave_room(room, turn),
            Intent::ListRooms => self.list_rooms(),
            Intent::LoadOlder(room) => self.load_older(room, turn),
            Intent::Seen { room, seq } => self.see(room, seq, turn),
            Intent::Focus(focused) => self.focused = focused,
            Intent::ConnectNow => self.connect_now(turn),
            Intent::Account(wish) => self.want_account(wish, turn),
            Intent::Order(order) => self.order(order, turn),
            Intent::Admin(wish) => self.want_admin(wish),
            Intent::DismissNotice(mine) => self.dismiss_notice(mine, turn),
            Intent::DismissAnnouncement => self.announcement = None,
            Intent::SaveFile { name, text } => {
                self.file = None;
                turn.effects.push(Effect::WriteFile { name, text });
            }
            Intent::TrustKey => self.trust_key(turn),
            Intent::RefuseKey => self.refuse_key(),
            Intent::SignOut => self.sign_out(false, turn),
            Intent::Dismiss => self.trouble = None,
            Intent::Quit => self.quit(turn),
            Intent::QuitAnyway => turn.effects.push(Effect::Quit),
            Intent::Stay => self.stay(),
        }
    }

    fn hear_archive(&mut self, news: ArchiveNews, turn: &mut Turn) {
        match news {
            ArchiveNews::SessionOpened(kept) => self.session_opened(*kept, turn),
            ArchiveNews::PendingSaved { room, client_id } => self.pending_saved(room, client_id),
            ArchiveNews::Older { ticket, room, events } => {
                self.older_from_archive(ticket, room, &events);
            }
            ArchiveNews::Failed { says } => self.nothing_is_kept(says),
        }
    }

    /// Asks for whatever is wanted and may be asked for now: the one place where requests begin
    /// that nobody waits for at once.
    fn pump(&mut self, turn: &mut Turn) {
        if !self.is_online() {
            return;
        }
        let now = turn.moment.millis;
        if self.say_after.is_none_or(|at| at <= now) {
            self.say_after = None;
            self.send_waiting(turn);
        }
        if self.read_after.is_none_or(|at| at <= now) {
            self.read_after = None;
            self.ask_for_pages(turn);
            self.ask_for_lists(turn);
            self.ask_to_leave(turn);
            self.follow_own_stream(turn);
            self.ask_about_account(turn);
            self.ask_for_admin(turn);
        }
    }
}

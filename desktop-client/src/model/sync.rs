//! Catching up: each room's timeline is brought to the newest event without a gap, from live
//! events and history pages that arrive in any order, doubled or late.
//!
//! A room's cursor is its timeline's last seq. What continues it is taken; what is older is a
//! double; what is further on is held, and the page in between is asked for.
//!
//! Invariant: nothing is guessed. What did not fit into the held events is asked for again,
//! because `last_seq` remembers that it exists.

use std::collections::BTreeMap;

use parlor_shared::request;
use parlor_shared::{
    ClientId, Fact, Nth, PageAt, Reply, Request, RequestId, RoomEvent, RoomId, Seq, UserId,
};

use super::asked::Asked;
use super::effect::{Keep, Turn};
use super::limits::{
    CLOSED_ROOM_ROWS_MAX, HELD_BYTES_MAX, HELD_EVENTS_MAX, OLDER_EVENTS, PAGE_EVENTS,
    READS_IN_FLIGHT, TIMELINE_ROWS_MAX,
};
use super::timeline::nth_of;
use super::{History, Model, Room, Ticket};

/// Fruitless pages in a row after which the connection is not believed any more.
const FRUITLESS_PAGES_MAX: u8 = 3;

/// Where a room's catching up stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sync {
    held: BTreeMap<Seq, RoomEvent>,
    held_bytes: usize,
    /// The page that is asked for.
    page: Option<RequestId>,
    fruitless: u8,
    /// The server did not want to give a page; not asked again on this connection.
    refused: bool,
    /// The newest page did not tell how many messages came before it: the timeline begins where
    /// the server told the count instead.
    begins_at_told: bool,
    /// The membership and count that the server last told.
    pub(super) since: Seq,
    since_nth: Nth,
    /// The oldest event in the archive; `Seq(0)` for none.
    pub(super) first_kept: Seq,
    older: Older,
}

/// Who was asked for older events.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Older {
    #[default]
    Nobody,
    Archive(Ticket),
    Server,
}

/// What taking some events led to.
#[derive(Debug, Default)]
struct Taken {
    events: Vec<RoomEvent>,
    /// Messages of the outbox that the server has stored for good, answered or not.
    settled: Vec<ClientId>,
    /// One's own words moved the read position.
    read: bool,
    /// One's own membership ended by them.
    left: bool,
    /// Whose texts are erased, up to and with which place.
    erased: Vec<(UserId, Seq)>,
    /// The latest that was said to everybody and not read yet.
    announced: Option<RoomEvent>,
}

impl Sync {
    /// The connection is gone: what was asked for will not come.
    pub(super) fn lose_connection(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.page = None;
        self.fruitless = 0;
        self.refused = false;
        self.begins_at_told = false;
    }

    fn hold(&mut self, event: RoomEvent) {
        self.held_bytes += weight(&event);
        if let Some(double) = self.held.insert(event.seq, event) {
            self.held_bytes -= weight(&double);
        }
        while self.held.len() > HELD_EVENTS_MAX || self.held_bytes > HELD_BYTES_MAX {
            let Some((_, furthest)) = self.held.pop_last() else { break };
            self.held_bytes -= weight(&furthest);
        }
    }

    /// The held event at `seq`; older ones are of no use any more.
    fn release(&mut self, seq: Seq) -> Option<RoomEvent> {
        loop {
            let entry = self.held.first_entry().filter(|entry| *entry.key() <= seq)?;
            let event = entry.remove();
            self.held_bytes -= weight(&event);
            if event.seq == seq {
                return Some(event);
            }
        }
    }
}

fn weight(event: &RoomEvent) -> usize {
    if let Fact::Said { text, .. } | Fact::Announced { text, .. } = &event.fact {
        return text.as_str().len();
    }
    0
}

/// How many messages came before the first of `events`, where one of them says so.
fn count_before(events: &[RoomEvent]) -> Option<Nth> {
    let counted = events.iter().find_map(|event| nth_of(&event.fact));
    counted.map(|nth| Nth(nth.0.saturating_sub(1)))
}

impl Room {
    /// The server told that one is a member, and how far the room is.
    pub(super) fn is_told(&mut self, last_seq: Seq, last_nth: Nth) {
        self.is_member = true;
        (self.sync.since, self.sync.since_nth) = (last_seq, last_nth);
        self.last_seq = self.last_seq.max(last_seq);
        self.last_nth = self.last_nth.max(last_nth);
    }

    /// Puts what the archive had into an empty timeline. `nth` is the count at its end.
    pub(super) fn fill(&mut self, newest: &[RoomEvent], first_kept: Seq, nth: Nth) {
        let before = count_before(newest).unwrap_or(nth);
        for event in newest {
            if !self.timeline.push(event, before) {
                break;
            }
        }
        self.sync.first_kept = first_kept;
        self.is_ended = newest.iter().any(|it| matches!(it.fact, Fact::Ended { .. }));
        self.last_seq = self.last_seq.max(self.timeline.last_seq());
        self.last_nth = self.last_nth.max(nth);
        self.forget_what_is_above();
    }

    /// Its history is another one now: whatever came from the server means nothing.
    pub(super) fn forget_events(&mut self) {
        self.timeline.clear();
        self.sync = Sync::default();
        self.read_told = Seq(0);
        self.history = History::More;
        (self.last_seq, self.last_nth) = (Seq(0), Nth(0));
    }

    /// The count of messages at the timeline's end.
    pub(super) fn nth_here(&self) -> Nth {
        let newest = self.timeline.len().checked_sub(1).and_then(|it| self.timeline.get(it));
        newest.map_or(Nth(0), |row| row.nth)
    }

    /// Takes, holds or drops an event, and takes what was held behind it.
    fn take(&mut self, event: RoomEvent, me: UserId, taken: &mut Taken) {
        self.last_seq = self.last_seq.max(event.seq);
        self.last_nth = self.last_nth.max(nth_of(&event.fact).unwrap_or_default());
        if self.timeline.is_empty() || event.seq > self.timeline.last_seq().next() {
            self.sync.hold(event);
        } else if event.seq == self.timeline.last_seq().next() {
            self.append(event, Nth(0), me, taken);
            self.take_held(me, taken);
        }
    }

    fn take_held(&mut self, me: UserId, taken: &mut Taken) {
        while let Some(event) = self.sync.release(self.timeline.last_seq().next()) {
            self.append(event, Nth(0), me, taken);
        }
    }

    /// Begins the timeline with a page.
    fn begin(&mut self, page: Vec<RoomEvent>, me: UserId, taken: &mut Taken) {
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return };
        // Without a message in it the page says nothing about the count, but the server did at
        // one place, and if that is in the page it holds for all of it.
        let is_told = first.seq <= self.sync.since.next() && self.sync.since <= last.seq;
        let told = is_told.then_some(self.sync.since_nth);
        let Some(before) = count_before(&page).or(told) else {
            self.sync.begins_at_told = true;
            return;
        };
        for event in page {
            self.last_seq = self.last_seq.max(event.seq);
            let continues =
                self.timeline.is_empty() || event.seq == self.timeline.last_seq().next();
            if !continues {
                break;
            }
            self.append(event, before, me, taken);
        }
        self.take_held(me, taken);
        self.forget_what_is_above();
    }

    fn append(&mut self, event: RoomEvent, before: Nth, me: UserId, taken: &mut Taken) {
        if !self.timeline.push(&event, before) {
            return;
        }
        let mine = event.by == me;
        // An earlier leaving is history: the server told of the membership since then.
        let is_news = event.seq > self.sync.since;
        if let Some(nth) = nth_of(&event.fact) {
            self.last_nth = self.last_nth.max(nth);
            if mine {
                self.hear_own_words(&event, nth, taken);
            }
        }
        match &event.fact {
            Fact::Left {} => taken.left |= mine && is_news,
            Fact::Kicked { user, .. } | Fact::Banned { user, .. } => {
                taken.left |= *user == me && is_news;
            }
            Fact::RoleGiven { user, role, .. } if *user == me && is_news => self.role = *role,
            Fact::Ended { .. } => self.is_ended = true,
            Fact::Erased { user, through } => taken.erased.push((*user, *through)),
            Fact::Announced { .. } if !mine && event.seq > self.read_seq => {
                taken.announced = Some(event.clone());
            }
            Fact::Opened { .. }
            | Fact::Joined {}
            | Fact::Said { .. }
            | Fact::Blank { .. }
            | Fact::Announced { .. }
            | Fact::Renamed { .. }
            | Fact::Muted { .. }
            | Fact::Unmuted { .. }
            | Fact::RoleGiven { .. }
            | Fact::Unknown => {}
        }
        self.meet(&event);
        taken.events.push(event);
    }

    /// A message of one's own is in the timeline: it waits no more.
    fn hear_own_words(&mut self, event: &RoomEvent, nth: Nth, taken: &mut Taken) {
        if let Fact::Said { client_id, .. }
        | Fact::Blank { client_id, .. }
        | Fact::Announced { client_id, .. } = &event.fact
            && let Some(index) = self.outbox.iter().position(|it| it.client_id == *client_id)
        {
            self.outbox.remove(index);
            taken.settled.push(*client_id);
        }
        // One's own words are read, unless others' before them are not.
        if nth == self.read_nth.next() {
            (self.read_seq, self.read_nth) = (event.seq, nth);
            taken.read = true;
        }
    }

    /// Says anew whether there is something above the oldest row.
    fn forget_what_is_above(&mut self) {
        self.sync.older = Older::Nobody;
        self.history = match self.timeline.first_seq() {
            Seq(1) => History::Complete,
            _ => History::More,
        };
    }

    /// Lets the oldest rows go where there are too many; the archive has them.
    fn trim(&mut self, rows: usize) {
        if self.timeline.len() > rows + rows / 4 {
            self.timeline.keep_newest(rows);
            self.forget_what_is_above();
        }
    }

    /// The room is not looked at any more.
    pub(super) fn close(&mut self) {
        self.remove_divider();
        self.trim(CLOSED_ROOM_ROWS_MAX);
    }

    /// The page that is missing just now.
    fn missing_page(&self) -> Option<PageAt> {
        if !self.is_member || self.sync.page.is_some() || self.sync.refused {
            return None;
        }
        if self.timeline.is_empty() {
            let told = PageAt::After(self.sync.since);
            return Some(if self.sync.begins_at_told { told } else { PageAt::Latest });
        }
        if self.timeline.last_seq() < self.last_seq {
            return Some(PageAt::After(self.timeline.last_seq()));
        }
        (self.sync.older == Older::Server).then(|| PageAt::Before(self.timeline.first_seq()))
    }
}

impl Model {
    /// A live event.
    pub(super) fn hear_event(&mut self, event: RoomEvent, turn: &mut Turn) {
        let (id, me) = (event.room, self.my_id());
        self.hear_name(&event, turn);
        let Some(room) = self.rooms.get_mut(&id) else {
            if self.is_told_of_new_room(&event) {
                self.give_up(turn);
            }
            return;
        };
        let mut taken = Taken::default();
        let unread_before = room.unread();
        room.take(event, me, &mut taken);
        self.took(id, taken, unread_before, turn);
    }

    /// A history page. False: the connection is not to be believed any more.
    #[must_use]
    pub(super) fn hear_page(
        &mut self,
        answered: RequestId,
        asked: (RoomId, PageAt),
        page: Reply,
        turn: &mut Turn,
    ) -> bool {
        let (id, at) = asked;
        let Reply::Page { room, mut events, last_seq, names, .. } = page else { return false };
        if room != id {
            return false;
        }
        let me = self.my_id();
        let Some(room) = self.rooms.get_mut(&id) else { return true };
        if room.sync.page != Some(answered) {
            return true;
        }
        room.sync.page = None;
        events.retain(|event| event.room == id);
        self.hear_names(&events, &names, turn);
        let Some(room) = self.rooms.get_mut(&id) else { return true };
        let (mut taken, unread_before) = (Taken::default(), room.unread());
        match at {
            PageAt::Before(before) => {
                self.older_from_server(id, before, &events, turn);
                return true;
            }
            PageAt::Latest | PageAt::After(_) if room.timeline.is_empty() => {
                room.begin(events, me, &mut taken);
            }
            PageAt::Latest | PageAt::After(_) | PageAt::Around(_) => {
                for event in events {
                    room.take(event, me, &mut taken);
                }
            }
        }
        room.last_seq = room.last_seq.max(last_seq);
        let is_wanting = room.timeline.is_empty() || room.is_catching_up();
        let is_fruitless = taken.events.is_empty() && is_wanting;
        room.sync.fruitless = if is_fruitless { room.sync.fruitless + 1 } else { 0 };
        let believed = room.sync.fruitless < FRUITLESS_PAGES_MAX;
        self.took(id, taken, unread_before, turn);
        believed
    }

    /// What follows once events were appended.
    fn took(&mut self, id: RoomId, taken: Taken, unread_before: u64, turn: &mut Turn) {
        let is_open = self.selected == Some(id);
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        if is_open && !self.focused && unread_before == 0 && room.unread() > 0 {
            room.place_divider();
        }
        if taken.events.is_empty() {
            return;
        }
        room.find_divider();
        if room.sync.first_kept == Seq(0)
            && let Some(first) = taken.events.first()
        {
            room.sync.first_kept = first.seq;
        }
        let nth = room.nth_here();
        let mut events = taken.events;
        // What was said and erased within these is not kept for a moment either.
        room.timeline.blank_erased(&mut events);
        turn.keep(Keep::Events { session, room: id, events, nth });
        for (user, through) in taken.erased {
            turn.keep(Keep::Erase { session, room: id, user, through });
        }
        if taken.announced.is_some() {
            self.announcement = taken.announced;
        }
        for client_id in taken.settled {
            turn.keep(Keep::Settled { session, room: id, client_id });
        }
        room.trim(if is_open { TIMELINE_ROWS_MAX } else { CLOSED_ROOM_ROWS_MAX });
        if taken.read {
            self.keep_room(id, turn);
        }
        self.settle_stored(id, turn);
        if taken.left {
            self.is_no_member(id, turn);
        }
    }

    /// Asks for the pages that are missing, those of the open room first.
    pub(super) fn ask_for_pages(&mut self, turn: &mut Turn) {
        let open = self.selected;
        let others = self.rooms.keys().copied().filter(|it| Some(*it) != open);
        let order: Vec<_> = open.into_iter().chain(others).collect();
        for id in order {
            if self.asked.reads() >= READS_IN_FLIGHT {
                return;
            }
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            let Some(page) = room.missing_page() else { continue };
            let limit = match page {
                PageAt::After(_) => PAGE_EVENTS,
                PageAt::Before(_) | PageAt::Around(_) | PageAt::Latest => OLDER_EVENTS,
            };
            let request = Request::History(request::History { room: id, page, limit: Some(limit) });
            room.sync.page = Some(self.asked.ask(request, Asked::Page { room: id, page }, turn));
        }
    }

    /// The server does not give this page.
    pub(super) fn page_refused(&mut self, id: RoomId, again: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.sync.page = None;
        room.sync.refused = !again;
        if !again && room.sync.older == Older::Server {
            room.forget_what_is_above();
        }
    }

    pub(super) fn load_older(&mut self, id: RoomId, turn: &mut Turn) {
        let is_online = self.is_online();
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        if room.history != History::More || room.timeline.is_empty() {
            return;
        }
        if room.timeline.len() + OLDER_EVENTS as usize > TIMELINE_ROWS_MAX {
            room.history = History::Full;
            return;
        }
        let before = room.timeline.first_seq();
        if room.sync.first_kept > Seq(0) && room.sync.first_kept < before {
            self.next_ticket += 1;
            let ticket = Ticket(self.next_ticket);
            room.sync.older = Older::Archive(ticket);
            room.history = History::Loading;
            let limit = OLDER_EVENTS;
            turn.keep(Keep::LoadOlder { ticket, session, room: id, before, limit });
        } else if is_online && room.is_member && !room.sync.refused {
            room.sync.older = Older::Server;
            room.history = History::Loading;
        }
    }

    pub(super) fn older_from_archive(&mut self, ticket: Ticket, id: RoomId, page: &[RoomEvent]) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.sync.older != Older::Archive(ticket) {
            return;
        }
        if page.is_empty() || !room.timeline.prepend(page) {
            // The archive let its oldest go: from here on the server is asked.
            room.sync.first_kept = room.timeline.first_seq();
        }
        room.forget_what_is_above();
        room.find_divider();
    }

    fn older_from_server(&mut self, id: RoomId, before: Seq, page: &[RoomEvent], turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        if room.sync.older != Older::Server || room.timeline.first_seq() != before {
            room.forget_what_is_above();
            return;
        }
        if room.timeline.prepend(page) {
            room.forget_what_is_above();
            room.find_divider();
            if let Some(first) = page.first()
                && room.sync.first_kept == before
            {
                room.sync.first_kept = first.seq;
                let nth = room.nth_here();
                let mut events = page.to_vec();
                room.timeline.blank_erased(&mut events);
                turn.keep(Keep::Events { session, room: id, events, nth });
            }
        } else {
            room.forget_what_is_above();
        }
        if page.is_empty() {
            room.history = History::Complete;
        }
    }

    /// The connection is gone: whoever waits for older events of the server waits no more.
    pub(super) fn lose_pages(&mut self) {
        for room in self.rooms.values_mut() {
            room.sync.lose_connection();
            if room.sync.older == Older::Server {
                room.forget_what_is_above();
            }
        }
    }
}

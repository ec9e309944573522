//! Somebody at an app: feeds the model, remembers what it wants done, and has the other side's
//! lines at hand.

use std::collections::BTreeMap;

use parlor_desktop::model::{
    ArchiveNews, Effect, Input, Intent, Keep, KeptSession, LinkId, LinkNews, Model, Moment, News,
    Opened, Room,
};
use parlor_shared::reply::ShownLimits;
use parlor_shared::{
    ClientId, Epoch, Event, Fact, Fingerprint, JoinedRoom, LOBBY_ID, Limits, Nth, Refusal, Reply,
    Request, RequestFrame, RequestId, ResumeToken, Role, RoomEvent, RoomId, RoomRole, Seq,
    ServerFrame, SessionId, UnixMillis, UserId, Welcome,
};

pub(crate) const ME: UserId = UserId(7);
pub(crate) const OTHER: UserId = UserId(8);
/// The key of the server that everybody talks to.
pub(crate) const KEY: Fingerprint = Fingerprint([0x5e; 32]);
pub(crate) const DEVICE: &str = "mydevice";

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) model: Model,
    pub(crate) now: u64,
    pub(crate) random: u64,
    /// What the last input led to.
    pub(crate) effects: Vec<Effect>,
    pub(crate) link: LinkId,
}

impl Person {
    /// A fresh profile.
    pub(crate) fn new() -> Self {
        Self::start(opened(None))
    }

    pub(crate) fn start(opened: Opened) -> Self {
        let moment = Moment { millis: 0, wall: UnixMillis(0), random: 0 };
        let (model, effects) = Model::start(opened, moment);
        let mut person = Self { model, now: 0, random: 0, effects, link: LinkId(0) };
        person.note_link();
        person
    }

    /// Somebody who is in the lobby, of which `last_seq` and `last_nth` were told.
    pub(crate) fn in_lobby(last_seq: u64, last_nth: u64) -> Self {
        let mut person = Self::new();
        person.join("Ann", "10.0.0.7");
        person.connected();
        person.welcome(welcome(vec![lobby(last_seq, last_nth)]));
        person
    }

    pub(crate) fn feed(&mut self, news: News) {
        let wall = UnixMillis(1_000_000 + self.now);
        let moment = Moment { millis: self.now, wall, random: self.random };
        self.effects = self.model.update(Input { moment, news });
        self.note_link();
    }

    fn note_link(&mut self) {
        for effect in &self.effects {
            if let Effect::Connect { link, .. } = effect {
                self.link = *link;
            }
        }
    }

    // ---- The person ----

    pub(crate) fn want(&mut self, intent: Intent) {
        self.feed(News::Intent(intent));
    }

    pub(crate) fn join(&mut self, name: &str, address: &str) {
        self.want(Intent::Join { name: name.to_owned(), address: address.to_owned() });
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.want(Intent::Say { room: LOBBY_ID, text: text.to_owned() });
    }

    pub(crate) fn tick_at(&mut self, now: u64) {
        self.now = now;
        self.feed(News::Tick);
    }

    // ---- The archive ----

    /// The archive saves the pending messages that the last input ordered.
    pub(crate) fn saved(&mut self) {
        let orders = std::mem::take(&mut self.effects);
        let mut all = Vec::new();
        for effect in orders {
            if let Effect::Keep(Keep::Pending { room, client_id, .. }) = effect {
                self.feed(News::Archive(ArchiveNews::PendingSaved { room, client_id }));
                all.append(&mut self.effects);
            }
        }
        self.effects = all;
    }

    pub(crate) fn kept(&self) -> Vec<&Keep> {
        let mut kept = Vec::new();
        for effect in &self.effects {
            if let Effect::Keep(keep) = effect {
                kept.push(keep);
            }
        }
        kept
    }

    // ---- The wire ----

    pub(crate) fn link(&mut self, news: LinkNews) {
        self.feed(News::Link(self.link, news));
    }

    pub(crate) fn connected(&mut self) {
        self.link(LinkNews::Connected { key: Some(KEY) });
    }

    pub(crate) fn frame(&mut self, frame: ServerFrame) {
        self.link(LinkNews::Frame(frame));
    }

    pub(crate) fn event(&mut self, event: RoomEvent) {
        self.frame(ServerFrame::Event(Event::Room(event)));
    }

    pub(crate) fn answer(&mut self, id: RequestId, ok: Reply) {
        self.frame(ServerFrame::Ok { id, ok });
    }

    pub(crate) fn refuse(&mut self, id: RequestId, refusal: Refusal) {
        self.frame(ServerFrame::refused(Some(id), refusal));
    }

    /// The requests that the last input sent.
    pub(crate) fn sent(&self) -> Vec<RequestFrame> {
        let mut sent = Vec::new();
        for effect in &self.effects {
            if let Effect::Send(frame) = effect {
                sent.push(frame.clone());
            }
        }
        sent
    }

    /// The one request of this kind that the last input sent.
    pub(crate) fn sent_one(&self, verb: &str) -> RequestFrame {
        let mut all: Vec<_> =
            self.sent().into_iter().filter(|it| it.request.verb() == verb).collect();
        assert_eq!(all.len(), 1, "one {verb} in {:?}", self.effects);
        all.remove(0)
    }

    /// What the last input said over the wire.
    pub(crate) fn sent_says(&self) -> Vec<(RequestId, ClientId, String)> {
        let mut says = Vec::new();
        for RequestFrame { id, request } in self.sent() {
            if let Request::Say(say) = request {
                says.push((id, say.client_id, say.text.to_string()));
            }
        }
        says
    }

    pub(crate) fn welcome(&mut self, welcome: Welcome) {
        let hello = self.sent_one("hello");
        self.answer(hello.id, Reply::Welcome(Box::new(welcome)));
    }

    /// Comes back on a new connection, and is welcomed with these rooms.
    pub(crate) fn come_back(&mut self, rooms: Vec<JoinedRoom>) {
        self.want(Intent::ConnectNow);
        self.connected();
        self.welcome(Welcome { token: None, ..welcome(rooms) });
    }

    pub(crate) fn room(&self) -> &Room {
        &self.model.rooms[&LOBBY_ID]
    }

    /// The texts of the lobby's timeline.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.room().timeline.iter().filter_map(|(_, row)| row.text()).collect()
    }
}

pub(crate) fn opened(current: Option<KeptSession>) -> Opened {
    Opened {
        device: DEVICE.parse().expect("a device"),
        counter: 0,
        sessions: current.iter().map(|it| it.session.clone()).collect(),
        pins: Vec::new(),
        current: current.map(Box::new),
    }
}

pub(crate) fn mine(counter: u64) -> ClientId {
    ClientId { device: DEVICE.parse().expect("a device"), counter }
}

pub(crate) fn lobby(last_seq: u64, last_nth: u64) -> JoinedRoom {
    JoinedRoom {
        room: LOBBY_ID,
        name: "lobby".parse().expect("a name"),
        last_seq: Seq(last_seq),
        last_nth: Nth(last_nth),
        role: RoomRole::Member,
        ended: false,
    }
}

pub(crate) fn welcome(rooms: Vec<JoinedRoom>) -> Welcome {
    Welcome {
        protocol: 1,
        epoch: Epoch([1; 8]),
        user: ME,
        name: "Ann".parse().expect("a name"),
        token: Some(ResumeToken([3; 32])),
        at: UnixMillis(0),
        features: Vec::new(),
        limits: ShownLimits::from(&Limits::default()),
        rooms,
        role: Role::Guest,
        account: false,
        session: SessionId(1),
        mine: Seq(0),
    }
}

pub(crate) fn event(seq: u64, by: UserId, fact: Fact) -> RoomEvent {
    let name = if by == ME { "Ann" } else { "Bob" }.parse().expect("a name");
    RoomEvent { room: LOBBY_ID, seq: Seq(seq), at: UnixMillis(seq), by, name, fact }
}

pub(crate) fn said(seq: u64, nth: u64, by: UserId, client_id: ClientId, text: &str) -> RoomEvent {
    let text = text.parse().expect("a text");
    event(seq, by, Fact::Said { nth: Nth(nth), client_id, text })
}

/// Messages of the other one, seq and nth the same.
pub(crate) fn words(range: std::ops::RangeInclusive<u64>) -> Vec<RoomEvent> {
    let one = |seq| {
        let client_id = ClientId { device: "theirs".parse().expect("a device"), counter: seq };
        said(seq, seq, OTHER, client_id, &format!("word {seq}"))
    };
    range.map(one).collect()
}

pub(crate) fn page(events: Vec<RoomEvent>, last_seq: u64) -> Reply {
    Reply::Page { room: LOBBY_ID, events, more: false, last_seq: Seq(last_seq), names: Vec::new() }
}

/// The history that a server would show, to answer any page from.
pub(crate) fn answer_page(story: &[RoomEvent], request: &Request, most: usize) -> Reply {
    use parlor_shared::PageAt;
    let Request::History(ask) = request else { panic!("not a history request: {request:?}") };
    let by_seq: BTreeMap<Seq, &RoomEvent> = story.iter().map(|it| (it.seq, it)).collect();
    let events: Vec<RoomEvent> = match ask.page {
        PageAt::After(seq) => {
            by_seq.range(seq.next()..).take(most).map(|(_, it)| (*it).clone()).collect()
        }
        PageAt::Before(seq) => last(by_seq.range(..seq).map(|(_, it)| *it), most),
        PageAt::Latest => last(by_seq.values().copied(), most),
        PageAt::Around(_) => panic!("the app does not ask for this"),
    };
    let last_seq = story.last().map_or(Seq(0), |it| it.seq);
    Reply::Page { room: ask.room, events, more: false, last_seq, names: Vec::new() }
}

fn last<'a>(events: impl Iterator<Item = &'a RoomEvent>, most: usize) -> Vec<RoomEvent> {
    let all: Vec<_> = events.collect();
    all[all.len().saturating_sub(most)..].iter().map(|it| (*it).clone()).collect()
}

pub(crate) fn room_named(id: u64, name: &str) -> JoinedRoom {
    JoinedRoom { room: RoomId(id), name: name.parse().expect("a name"), ..lobby(1, 0) }
}

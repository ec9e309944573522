//! Made-up chats for the view's tests, its gallery and its benchmark: built from the model's
//! public values, without a server.

#[path = "view_scene_account.rs"]
pub(crate) mod account;

use parlor_desktop::model::{
    History, Joining, KeyChanged, Listed, Me, Member, Model, Moment, Opened, Pending, PendingState,
    Room, Stage,
};
use parlor_desktop::view::{Calendar, Screen};
use parlor_shared::{
    ClientId, Fact, Fingerprint, Nth, Role, RoomEvent, RoomId, RoomName, RoomRole, Seq, SessionId,
    Text, UnixMillis, UserId, UserName,
};

/// 2026-03-03 18:53 in Greenwich, a Tuesday.
pub(crate) const EVENING: u64 = 1_772_563_980_000;
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;

/// By which the server is known, and another one.
pub(crate) const KEY: Fingerprint = Fingerprint(*b"by this key the server is known.");
pub(crate) const OTHER_KEY: Fingerprint = Fingerprint(*b"and this is another, unknown key");

pub(crate) const LOBBY: RoomId = RoomId(1);

pub(crate) fn user_name(name: &str) -> UserName {
    name.parse().expect("a name")
}

pub(crate) fn room_name(name: &str) -> RoomName {
    name.parse().expect("a name")
}

pub(crate) fn text(text: &str) -> Text {
    text.parse().expect("a text")
}

pub(crate) fn client_id(counter: u64) -> ClientId {
    ClientId { device: "dev".parse().expect("a device"), counter }
}

/// A model that has just started, in the join dialog.
pub(crate) fn fresh() -> Model {
    let opened = Opened {
        device: "dev".parse().expect("a device"),
        counter: 0,
        sessions: Vec::new(),
        pins: Vec::new(),
        current: None,
    };
    Model::start(opened, Moment::default()).0
}

/// The join dialog in some state.
pub(crate) fn joining(joining: Joining) -> Model {
    let mut model = fresh();
    model.stage = Stage::Joining(joining);
    model
}

/// A screen whose clock stands still in Greenwich.
pub(crate) fn screen() -> Screen {
    let mut screen = Screen::new(Calendar::utc());
    screen.now = UnixMillis(EVENING + 5 * MINUTE);
    screen
}

/// Somebody signed in and online, with the lobby open.
pub(crate) fn talking(me: &str) -> Model {
    let mut model = fresh();
    model.stage = Stage::Talking;
    model.link = parlor_desktop::model::LinkState::Online;
    model.key = Some(KEY);
    model.me = Some(Me {
        user: UserId(1),
        name: user_name(me),
        role: Role::Guest,
        account: false,
        session: SessionId(1),
    });
    model.server = "192.168.1.5".parse().ok();
    model.rooms.insert(LOBBY, Room::new(room_name("lobby")));
    model.selected = Some(LOBBY);
    let lobby = room(&mut model, LOBBY);
    lobby.history = History::Complete;
    lobby.members.insert(
        UserId(1),
        Member { name: user_name(me), here: true, role: RoomRole::Member, muted: false },
    );
    model
}

/// The server has another key than the known one.
pub(crate) fn asked_about_key(mut model: Model) -> Model {
    let address = "office".parse().expect("an address");
    model.key_changed = Some(KeyChanged { address, known: KEY, found: OTHER_KEY });
    model
}

pub(crate) fn room(model: &mut Model, id: RoomId) -> &mut Room {
    model.rooms.get_mut(&id).expect("the room")
}

/// Adds events to a room as the model would.
pub(crate) struct Teller<'a> {
    room: &'a mut Room,
    id: RoomId,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(model: &'a mut Model, id: RoomId) -> Self {
        Self { room: room(model, id), id }
    }

    pub(crate) fn event(&mut self, at: u64, user: u64, name: &str, fact: Fact) -> &mut Self {
        let seq = self.room.timeline.last_seq().next();
        let event = RoomEvent {
            room: self.id,
            seq,
            at: UnixMillis(at),
            by: UserId(user),
            name: user_name(name),
            fact,
        };
        assert!(self.room.timeline.push(&event, self.room.last_nth), "events in order");
        if let Fact::Said { nth, .. } = &event.fact {
            self.room.last_nth = *nth;
        }
        self.room.last_seq = seq;
        self.room.read_seq = seq;
        self.room.read_nth = self.room.last_nth;
        self
    }

    pub(crate) fn said(&mut self, at: u64, user: u64, name: &str, says: &str) -> &mut Self {
        let fact = said(self.room.last_nth.next(), says);
        self.event(at, user, name, fact)
    }

    pub(crate) fn joined(&mut self, at: u64, user: u64, name: &str) -> &mut Self {
        self.room.members.insert(
            UserId(user),
            Member { name: user_name(name), here: true, role: RoomRole::Member, muted: false },
        );
        self.event(at, user, name, Fact::Joined {})
    }

    pub(crate) fn left(&mut self, at: u64, user: u64, name: &str) -> &mut Self {
        self.room.members.remove(&UserId(user));
        self.event(at, user, name, Fact::Left {})
    }

    pub(crate) fn pending(
        &mut self,
        at: u64,
        counter: u64,
        says: &str,
        state: PendingState,
    ) -> &mut Self {
        let at = UnixMillis(at);
        let pending = Pending { client_id: client_id(counter), text: text(says), at, state };
        self.room.outbox.push_back(pending);
        self
    }
}

pub(crate) fn said(nth: Nth, says: &str) -> Fact {
    Fact::Said { nth, client_id: client_id(nth.0), text: text(says) }
}

/// An event for a page of older history.
pub(crate) fn older(seq: u64, nth: u64, at: u64, user: u64, name: &str, says: &str) -> RoomEvent {
    RoomEvent {
        room: LOBBY,
        seq: Seq(seq),
        at: UnixMillis(at),
        by: UserId(user),
        name: user_name(name),
        fact: said(Nth(nth), says),
    }
}

pub(crate) fn listed(model: &mut Model, id: u64, name: &str, members: u64) {
    let room = RoomId(id);
    model.directory.insert(room, Listed { room, name: room_name(name), members });
}

const TALK: [&str; 8] = [
    "ok",
    "a medium length line that says something about lunch",
    "long wrapping text that goes on and on, over several lines, because somebody had a lot to \
     say about how the meeting went and what should be done differently the next time, and did \
     not stop there either",
    "see https://example.org/path/to/a/page?with=a&query=too for the plan",
    "thanks 👍",
    "two\nlines",
    "Does anybody know when the train leaves tomorrow? I could be at the station by eight.",
    "yes",
];

/// A lobby of so many events, mostly messages, of five people over many days.
pub(crate) fn crowd(model: &mut Model, events: u64) {
    const NAMES: [&str; 5] = ["Ann", "Ben", "Cem", "Dora", "Emil"];
    let mut teller = Teller::new(model, LOBBY);
    for it in 0..events {
        let user = (it / 3) % 5;
        let name = NAMES[user as usize];
        let at = EVENING - (events - it) * 2 * MINUTE;
        if it % 97 == 0 {
            teller.event(at, user + 2, name, Fact::Joined {});
        } else {
            teller.said(at, user + 2, name, TALK[(it * 7 % 8) as usize]);
        }
    }
}

/// A conversation that shows one of everything.
pub(crate) fn evening(me: &str) -> Model {
    use parlor_desktop::model::Failure;
    use parlor_shared::Refusal;
    let mut model = talking(me);
    for (id, name) in
        [(2, "garden"), (3, "release 0.1"), (4, "a room with a really long name that does not fit")]
    {
        let mut room = Room::new(room_name(name));
        room.last_nth = Nth(if id == 2 { 3 } else { 0 });
        model.rooms.insert(RoomId(id), room);
    }
    listed(&mut model, 9, "cooking", 12);
    listed(&mut model, 10, "chess", 1);
    let start = EVENING - DAY;
    let mut it = Teller::new(&mut model, LOBBY);
    it.event(start - DAY, 1, me, Fact::Opened { title: room_name("lobby") });
    it.joined(start, 2, "Ben")
        .joined(start + MINUTE, 3, "Cem Öz")
        .joined(start + MINUTE, 4, "Dora")
        .joined(start + MINUTE, 5, "Эмиль")
        .joined(start + MINUTE, 6, "Fatima");
    it.said(start + 2 * MINUTE, 2, "Ben", "Hello! Is this the chat on the attic computer?");
    it.said(
        start + 3 * MINUTE,
        1,
        me,
        "It is. Started it ten minutes ago, nothing to install on your side but the app.",
    );
    it.said(
        start + 3 * MINUTE,
        1,
        me,
        "The plan for Saturday is at https://example.org/saturday/plan (two pages).",
    );
    it.said(start + 4 * MINUTE, 4, "Dora", "Nice. I read it on the train, and the first half is fine with me. For the second half I would rather start later, because the hall is only free from three, and somebody has to fetch the chairs from the other building before that.\n\nThree things are missing:\n- who brings the projector\n- the key\n- cake");
    it.said(start + 20 * MINUTE, 3, "Cem Öz", "🍰 I bring cake. 👍🏽 👨‍👩‍👧‍👦 🇩🇪 🏳️‍🌈");
    it.left(start + 21 * MINUTE, 6, "Fatima").joined(start + 22 * MINUTE, 6, "Fatima");
    let today = EVENING - 40 * MINUTE;
    it.said(today, 5, "Эмиль", "Привет! Кто завтра придёт?");
    it.said(today + MINUTE, 6, "Fatima", "مرحبا بكم في الغرفة، سأصل في الساعة 7:30 مساء.");
    it.said(today + 2 * MINUTE, 6, "Fatima", "שלום עולם, and then in English again: same line.");
    it.said(
        today + 3 * MINUTE,
        3,
        "Cem Öz",
        "日本語のテキストも、中文也可以，한국어도. नमस्ते दुनिया",
    );
    it.event(today + 4 * MINUTE, 3, "Cem Öz", Fact::Unknown);
    it.said(today + 20 * MINUTE, 2, "Ben", "I have the key.");
    it.said(today + 20 * MINUTE, 2, "Ben", "And a projector, if the old one will do. It needs an adapter for anything made this century.");
    it.said(today + 30 * MINUTE, 1, me, "The old one will do!");
    it.pending(today + 31 * MINUTE, 101, "Bringing the adapter.", PendingState::Sent);
    it.pending(
        today + 31 * MINUTE,
        102,
        "And this one was too fast.",
        PendingState::Failed(Failure::Refused(Refusal::RateLimited { retry_millis: 0 })),
    );
    let lobby = room(&mut model, LOBBY);
    lobby.divider = Some(Seq(lobby.timeline.last_seq().0 - 2));
    lobby.members.insert(
        UserId(7),
        Member { name: user_name("Grete"), here: false, role: RoomRole::Member, muted: false },
    );
    lobby.members.insert(
        UserId(8),
        Member { name: user_name("Hal"), here: false, role: RoomRole::Member, muted: false },
    );
    model
}

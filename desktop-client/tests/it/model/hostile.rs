//! A server that says whatever it likes, at any time: the app neither panics, nor loses what the
//! person wrote, nor asks without end.

use parlor_desktop::model::{
    AccountWish, AdminWish, Closed, Intent, LinkNews, News, Order, Secret,
};
use parlor_shared::{
    Event, Fact, JoinedRoom, LOBBY_ID, MemberEntry, Notice, Nth, Refusal, Reply, RequestId, Role,
    RoomEntry, RoomEvent, RoomId, RoomRole, Seq, ServerFrame, UnixMillis, UserEvent, UserId,
    UserNews, Welcome,
};
use proptest::prelude::*;

use super::person::{ME, Person, mine, welcome};

const MAX: u64 = parlor_shared::id::ID_MAX;

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0_u64..6, 1 => Just(MAX), 1 => Just(MAX - 1)]
}

fn fact() -> impl Strategy<Value = Fact> {
    let said = |(nth, counter)| Fact::Said {
        nth: Nth(nth),
        client_id: mine(counter),
        text: "anything".parse().expect("a text"),
    };
    prop_oneof![
        3 => (number(), 1_u64..5).prop_map(said),
        1 => Just(Fact::Joined {}),
        1 => Just(Fact::Left {}),
        1 => Just(Fact::Unknown),
        1 => (number(), 1_u64..5)
            .prop_map(|(nth, counter)| Fact::Blank { nth: Nth(nth), client_id: mine(counter) }),
        1 => number().prop_map(|seq| Fact::Erased { user: UserId(9), through: Seq(seq) }),
        1 => Just(Fact::Kicked { user: ME, who: "Ann".parse().expect("a name"), reason: None }),
        1 => Just(Fact::Renamed { was: "Al".parse().expect("a name") }),
        1 => Just(Fact::Ended { reason: None }),
        1 => Just(Fact::Opened { title: "tea".parse().expect("a name") }),
    ]
}

fn event() -> impl Strategy<Value = RoomEvent> {
    let make = |(room, seq, by, fact)| RoomEvent {
        room: RoomId(room),
        seq: Seq(seq),
        at: UnixMillis(seq),
        by: UserId(by),
        name: "Ann".parse().expect("a name"),
        fact,
    };
    (1_u64..3, number(), prop_oneof![Just(ME.0), Just(9)], fact()).prop_map(make)
}

fn joined() -> impl Strategy<Value = JoinedRoom> {
    let make = |(room, seq, nth)| JoinedRoom {
        room: RoomId(room),
        name: format!("room {room}").parse().expect("a name"),
        last_seq: Seq(seq),
        last_nth: Nth(nth),
        role: RoomRole::Member,
        ended: false,
    };
    (1_u64..3, number(), number()).prop_map(make)
}

fn reply() -> impl Strategy<Value = Reply> {
    let name = || "Ann".parse().expect("a name");
    let room_name = || "tea".parse().expect("a name");
    let page = |(room, events, more, last)| Reply::Page {
        room: RoomId(room),
        events,
        more,
        last_seq: Seq(last),
        names: Vec::new(),
    };
    let members = move |(room, as_of, users, more): (u64, u64, Vec<u64>, bool)| {
        let one = |it: u64| MemberEntry {
            user: UserId(it),
            name: name(),
            here: true,
            role: RoomRole::Member,
            muted: false,
        };
        let members = users.into_iter().map(one).collect();
        Reply::Members { room: RoomId(room), as_of: Seq(as_of), members, more }
    };
    let rooms = move |(ids, more): (Vec<u64>, bool)| {
        let one = |it: u64| RoomEntry { room: RoomId(it), name: room_name(), members: 1 };
        Reply::Rooms { rooms: ids.into_iter().map(one).collect(), more }
    };
    let said = |(room, counter, seq)| Reply::Said {
        room: RoomId(room),
        client_id: mine(counter),
        seq: Seq(seq),
        nth: Nth(seq),
        at: UnixMillis(0),
        erased: false,
    };
    let welcomed = |rooms| Reply::Welcome(Box::new(Welcome { token: None, ..welcome(rooms) }));
    let numbers = || prop::collection::vec(number(), 0..4);
    prop_oneof![
        4 => (1_u64..3, prop::collection::vec(event(), 0..6), any::<bool>(), number())
            .prop_map(page),
        2 => (1_u64..3, number(), numbers(), any::<bool>()).prop_map(members),
        1 => (numbers(), any::<bool>()).prop_map(rooms),
        2 => (1_u64..3, 1_u64..5, number()).prop_map(said),
        1 => prop::collection::vec(joined(), 0..3).prop_map(welcomed),
        1 => joined().prop_map(Reply::Joined),
        1 => (1_u64..3).prop_map(|room| Reply::Left { room: RoomId(room), seq: Seq(1) }),
        1 => Just(Reply::Pong {}),
        1 => Just(Reply::Goodbye {}),
        1 => (prop::collection::vec(own(), 0..4), any::<bool>(), number())
            .prop_map(|(events, more, last)| Reply::Mine { events, more, last: Seq(last) }),
        1 => (1_u64..3, number())
            .prop_map(|(room, seq)| Reply::Read { room: RoomId(room), seq: Seq(seq), nth: Nth(seq) }),
        1 => Just(Reply::Registered { codes: Vec::new(), mail: true }),
        1 => Just(Reply::AccountDeleted {}),
        1 => Just(Reply::Recovered {}),
        1 => Just(Reply::Done {}),
    ]
}

fn own() -> impl Strategy<Value = UserEvent> {
    let news = prop_oneof![
        (1_u64..3, number()).prop_map(|(room, seq)| UserNews::Read {
            room: RoomId(room),
            seq: Seq(seq),
            nth: Nth(seq),
        }),
        Just(UserNews::RoleIs { role: Role::Admin }),
        Just(UserNews::NameIs { name: "Bo".parse().expect("a name") }),
        Just(UserNews::MutedIn { room: None, until: None, reason: None }),
        Just(UserNews::Unknown),
    ];
    (number(), news).prop_map(|(mine, news)| UserEvent { mine: Seq(mine), at: UnixMillis(0), news })
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        Just(Refusal::RateLimited { retry_millis: u64::MAX }),
        Just(Refusal::RateLimited { retry_millis: 0 }),
        Just(Refusal::NoSuchRoom),
        Just(Refusal::TokenUnknown),
        Just(Refusal::StorageFull),
        Just(Refusal::RoomTaken),
        Just(Refusal::Unknown),
        Just(Refusal::SessionEnded),
        Just(Refusal::Banned { until: None }),
        Just(Refusal::RegisteredOnly),
        Just(Refusal::Throttled { retry_millis: u64::MAX }),
    ]
}

fn notice() -> impl Strategy<Value = Notice> {
    let name = || "Ann".parse().expect("a name");
    prop_oneof![
        (1_u64..3, number()).prop_map(move |(room, user)| Notice::WentAway {
            room: RoomId(room),
            user: UserId(user),
            name: name(),
        }),
        number().prop_map(|room| Notice::RoomListed {
            room: RoomId(room),
            name: "tea".parse().expect("a name"),
        }),
        joined().prop_map(Notice::EnteredRoom),
        (1_u64..3).prop_map(|room| Notice::LeftRoom { room: RoomId(room) }),
        Just(Notice::Ping {}),
        Just(Notice::GoingAway { wait_millis: u64::MAX }),
        Just(Notice::Unknown),
    ]
}

/// Anything that can happen to an app, the person's wishes among it.
#[derive(Clone, Debug)]
enum Happening {
    /// Answers one of the latest requests, whatever was asked.
    Answer(u64, Reply),
    Refuse(Option<u64>, Refusal),
    Event(RoomEvent),
    Notice(Notice),
    Own(UserEvent),
    Closed,
    Connected,
    Time(u64),
    Want(Intent),
    Saved,
}

fn happening() -> impl Strategy<Value = Happening> {
    let room = (1_u64..3).prop_map(RoomId);
    let wish = prop_oneof![
        3 => room.clone().prop_map(|room| Intent::Say { room, text: "mine".to_owned() }),
        1 => room.clone().prop_map(Intent::Select),
        1 => room.clone().prop_map(Intent::LoadOlder),
        1 => room.clone().prop_map(Intent::LeaveRoom),
        1 => room.clone().prop_map(Intent::JoinRoom),
        1 => (room.clone(), number()).prop_map(|(room, seq)| Intent::Seen { room, seq: Seq(seq) }),
        1 => (room.clone(), 1_u64..5)
            .prop_map(|(room, it)| Intent::Retry { room, client_id: mine(it) }),
        1 => (room, 1_u64..5)
            .prop_map(|(room, it)| Intent::Discard { room, client_id: mine(it) }),
        1 => Just(Intent::OpenRoom { name: "tea".to_owned() }),
        1 => Just(Intent::ResendHeld),
        1 => Just(Intent::ConnectNow),
        1 => Just(Intent::SignOut),
        1 => Just(Intent::Account(AccountWish::Look)),
        1 => Just(Intent::Account(AccountWish::Register {
            password: Secret::new("correct horse"),
            email: String::new(),
        })),
        1 => Just(Intent::Order(Order::BackUp)),
        1 => Just(Intent::Admin(AdminWish::SaveAudit)),
        1 => Just(Intent::Join { name: "Ann".to_owned(), address: "10.0.0.7".to_owned() }),
        1 => any::<bool>().prop_map(Intent::Focus),
    ];
    prop_oneof![
        8 => (0_u64..4, reply()).prop_map(|(back, reply)| Happening::Answer(back, reply)),
        2 => (prop::option::of(0_u64..4), refusal())
            .prop_map(|(back, refusal)| Happening::Refuse(back, refusal)),
        6 => event().prop_map(Happening::Event),
        2 => notice().prop_map(Happening::Notice),
        2 => own().prop_map(Happening::Own),
        1 => Just(Happening::Closed),
        2 => Just(Happening::Connected),
        2 => (0_u64..60_000).prop_map(Happening::Time),
        6 => wish.prop_map(Happening::Want),
        4 => Just(Happening::Saved),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_server_says_the_app_lives(
        happenings in prop::collection::vec(happening(), 1..120),
    ) {
        let mut person = Person::in_lobby(0, 0);
        let mut last_request = 0;
        for happening in happenings {
            let id = |back| RequestId(u64::saturating_sub(last_request, back));
            match happening {
                Happening::Answer(back, reply) => person.answer(id(back), reply),
                Happening::Refuse(Some(back), refusal) => person.refuse(id(back), refusal),
                Happening::Refuse(None, refusal) => {
                    person.frame(ServerFrame::refused(None, refusal));
                }
                Happening::Event(event) => person.event(event),
                Happening::Notice(notice) => {
                    person.frame(ServerFrame::Event(Event::Notice(notice)));
                }
                Happening::Own(event) => {
                    person.frame(ServerFrame::Event(Event::User(event)));
                }
                Happening::Closed => person.link(LinkNews::Closed(Closed::Lost)),
                Happening::Connected => person.connected(),
                Happening::Time(millis) => {
                    person.now += millis;
                    person.feed(News::Tick);
                }
                Happening::Want(intent) => person.want(intent),
                Happening::Saved => person.saved(),
            }
            let sent = person.sent();
            last_request = sent.iter().map(|it| it.id.0).fold(last_request, u64::max);
            prop_assert!(sent.len() <= 8, "one input leads to few requests: {sent:?}");
            if let Some(open) = person.model.selected {
                prop_assert!(person.model.rooms.contains_key(&open));
            }
            for room in person.model.rooms.values() {
                let rows: Vec<_> = room.timeline.iter().map(|(seq, _)| seq).collect();
                prop_assert!(rows.windows(2).all(|it| it[0].next() == it[1]));
                if let Some(divider) = room.divider {
                    prop_assert!(divider <= room.timeline.last_seq());
                }
            }
            prop_assert!(person.model.rooms.len() <= 200);
            let wake = person.model.next_wake();
            prop_assert!(wake.is_none_or(|it| it <= person.now + 200_000), "{wake:?}");
        }
        prop_assert!(person.model.rooms.get(&LOBBY_ID).is_none_or(|it| it.outbox.len() <= 500));
    }
}

//! Any conversation with anything erased in it, against a plain list of events: whoever reads sees
//! the same however far erasing got, and in the end no byte is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parlor_server::chat::Record;
use parlor_server::store::check::check;
use parlor_server::store::{PageSize, Position, Reader, Store};
use parlor_shared::request::PageAt;
use parlor_shared::{
    Fact, LOBBY_ID, Limits, Nth, RoomEvent, RoomId, Seq, UnixMillis, UserId, UserName,
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::files_with;

/// Erased in one step: few, so that there are many steps.
const ROWS: u64 = 3;
const ALL: PageSize = PageSize { events: 10_000, bytes: usize::MAX };

#[derive(Clone, Debug)]
enum Step {
    Say {
        user: usize,
        room: usize,
        length: usize,
        announces: bool,
    },
    Kick {
        by: usize,
        user: usize,
        room: usize,
    },
    Rename {
        user: usize,
        name: String,
    },
    Erase {
        user: usize,
        room: usize,
    },
    Delete {
        user: usize,
        erase: bool,
    },
    /// The hub does so much of it.
    Work(usize),
    /// A kill, and another start.
    Restart,
    /// Somebody reads everything, and a member its room.
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    let (user, room) = (0..4_usize, 0..2_usize);
    // Some need pages of their own.
    let length = prop_oneof![8 => 1..300_usize, 1 => 3_900..4_200_usize, 1 => Just(15_000_usize)];
    prop_oneof![
        30 => (user.clone(), room.clone(), length, prop::bool::weighted(0.1)).prop_map(
            |(user, room, length, announces)| Step::Say { user, room, length, announces }
        ),
        3 => (user.clone(), user.clone(), room.clone())
            .prop_map(|(by, user, room)| Step::Kick { by, user, room }),
        2 => (user.clone(), "[A-Z][a-z]{0,12}")
            .prop_map(|(user, name)| Step::Rename { user, name }),
        3 => (user.clone(), room).prop_map(|(user, room)| Step::Erase { user, room }),
        1 => (user, any::<bool>()).prop_map(|(user, erase)| Step::Delete { user, erase }),
        6 => (1..4_usize).prop_map(Step::Work),
        1 => Just(Step::Restart),
        4 => Just(Step::Read),
    ]
}

struct House {
    place: TempDir,
    store: Option<Store>,
    events: Vec<RoomEvent>,
    rooms: BTreeMap<RoomId, (Seq, Nth)>,
    names: BTreeMap<UserId, UserName>,
    last_user: u64,
    said: u64,
    /// Texts that have to be gone.
    gone: Vec<String>,
}

impl House {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let mut house = Self {
            place,
            store: None,
            events: Vec::new(),
            rooms: BTreeMap::from([(LOBBY_ID, (Seq(0), Nth(0)))]),
            names: BTreeMap::new(),
            last_user: 0,
            said: 0,
            gone: Vec::new(),
        };
        house.open();
        house
    }

    fn open(&mut self) {
        drop(self.store.take());
        let mut store = Store::open(self.place.path()).unwrap();
        store.bound_by(&Limits { erase_rows: ROWS, ..Limits::default() });
        self.store = Some(store);
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn save(&mut self, records: &[Record]) {
        let mut batch = self.store().begin().unwrap();
        records.iter().for_each(|it| batch.save(it).unwrap());
        batch.commit().unwrap();
    }

    fn user(&mut self) -> UserId {
        self.last_user += 1;
        let user = UserId(self.last_user);
        let name: UserName = format!("Name-{user}").parse().unwrap();
        self.names.insert(user, name.clone());
        self.save(&[Record::User { user, name, at: UnixMillis(1) }]);
        for room in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.happen(room, user, Fact::Joined {});
        }
        user
    }

    fn happen(&mut self, room: RoomId, by: UserId, fact: Fact) {
        let place = self.rooms.get_mut(&room).unwrap();
        place.0 = place.0.next();
        if let Fact::Said { nth, .. } | Fact::Announced { nth, .. } = &fact {
            place.1 = *nth;
        }
        let (seq, nth) = *place;
        let (at, name) = (UnixMillis(self.said), self.names[&by].clone());
        let event = RoomEvent { room, seq, at, by, name, fact };
        self.events.push(event.clone());
        self.save(&[Record::Event { event: Arc::new(event), nth }]);
    }

    fn say(&mut self, room: RoomId, by: UserId, length: usize, announces: bool) {
        self.said += 1;
        let mut text = format!("<text {} of user {by}>", self.said);
        text.extend(std::iter::repeat_n('.', length));
        let nth = self.rooms[&room].1.next();
        let client_id = format!("dev{by}-{}", self.said).parse().unwrap();
        let text = text.parse().unwrap();
        let said = if announces {
            Fact::Announced { nth, client_id, text }
        } else {
            Fact::Said { nth, client_id, text }
        };
        self.happen(room, by, said);
    }

    fn erase(&mut self, room: RoomId, user: UserId) {
        let through = self.rooms[&room].0;
        self.forget_texts(user, Some(room));
        self.happen(room, user, Fact::Erased { user, through });
    }

    fn delete(&mut self, user: UserId, erase: bool) {
        for room in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.happen(room, user, Fact::Left {});
        }
        if erase {
            self.forget_texts(user, None);
        }
        let former = UserName::former();
        for event in &mut self.events {
            if event.by == user {
                event.name = former.clone();
            }
            if let Fact::Unmuted { user: whom, who } = &mut event.fact
                && *whom == user
            {
                *who = former.clone();
            }
            if let Fact::Renamed { was } = &mut event.fact
                && event.by == user
            {
                *was = former.clone();
            }
        }
        self.names.remove(&user);
        self.save(&[Record::Deleted { user, erase, until: UnixMillis(9) }]);
    }

    fn forget_texts(&mut self, user: UserId, room: Option<RoomId>) {
        for event in &mut self.events {
            if event.by != user || room.is_some_and(|it| it != event.room) {
                continue;
            }
            if let Fact::Said { nth, client_id, text } | Fact::Announced { nth, client_id, text } =
                &event.fact
            {
                let (end, _) = text.as_str().split_once('>').unwrap();
                self.gone.push(format!("{end}>"));
                event.fact = Fact::Blank { nth: *nth, client_id: *client_id };
            }
        }
    }

    fn assert_right(&self) {
        let mut reader = Reader::open(self.place.path()).unwrap();
        let found = reader.events_after(Position(0), 100_000).unwrap();
        for ((_, found), expected) in found.iter().zip(&self.events) {
            assert_eq!(**found, *expected);
        }
        assert_eq!(found.len(), self.events.len());
        let Some(&user) = self.names.keys().next() else { return };
        for room in self.rooms.keys() {
            let page = reader.history(user, *room, PageAt::Latest, ALL).unwrap().unwrap();
            let expected: Vec<_> = self.events.iter().filter(|it| it.room == *room).collect();
            assert_eq!(page.events.iter().collect::<Vec<_>>(), expected);
        }
    }

    fn finish(&mut self) {
        while self.store().has_erasures().unwrap() {
            self.store().erase_some().unwrap();
        }
        assert!(self.store().empty_log().unwrap(), "nobody reads");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn pages_show_the_same_however_far_erasing_got(steps in prop::collection::vec(step(), 1..250)) {
        let mut house = House::new();
        let maker = house.user();
        let den = RoomId(2);
        house.rooms.insert(den, (Seq(0), Nth(0)));
        let name = "den".parse().unwrap();
        house.save(&[Record::Room { room: den, name, by: maker }]);
        house.happen(den, maker, Fact::Opened { title: "den".parse().unwrap() });
        let mut users = vec![maker];
        users.extend((1..4).map(|_| house.user()));
        for step in steps {
            match step {
                Step::Say { user, room, length, announces } => {
                    house.say([LOBBY_ID, den][room], users[user], length, announces);
                }
                Step::Kick { by, user, room } => {
                    // As an event it is like the others; here nobody has to go because of it.
                    let who = house.names[&users[user]].clone();
                    let user = users[user];
                    house.happen([LOBBY_ID, den][room], users[by], Fact::Unmuted { user, who });
                }
                Step::Rename { user, name } => {
                    let user = users[user];
                    let name: UserName = format!("{name}{user}").parse().unwrap();
                    let was = house.names.insert(user, name.clone()).unwrap();
                    let until = UnixMillis(9);
                    house.save(&[Record::Renamed { user, name, until, released: None }]);
                    house.happen(den, user, Fact::Renamed { was });
                }
                Step::Erase { user, room } => house.erase([LOBBY_ID, den][room], users[user]),
                Step::Delete { user, erase } => {
                    house.delete(users[user], erase);
                    users[user] = house.user();
                }
                Step::Work(steps) => {
                    for _ in 0..steps {
                        house.store().erase_some().unwrap();
                    }
                }
                Step::Restart => house.open(),
                Step::Read => house.assert_right(),
            }
        }
        house.assert_right();
        house.finish();
        house.assert_right();
        for text in &house.gone {
            let found = files_with(house.place.path(), text.as_bytes());
            prop_assert!(found.is_empty(), "{text} is still in {found:?}");
        }
        house.open();
        house.assert_right();
        drop(house.store.take());
        let report = check(house.place.path()).unwrap();
        prop_assert!(report.found.is_empty(), "{:?}", report.found);
        prop_assert_eq!(report.events as usize, house.events.len());
    }
}

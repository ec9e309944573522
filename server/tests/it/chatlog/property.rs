//! Any conversation, and anything that can happen to the files between two starts.

use std::fs;
use std::path::PathBuf;

use parlor_shared::{RoomId, UserId};
use proptest::prelude::*;

use super::{DAY, House, NOVEMBER};

#[derive(Clone, Debug)]
enum Step {
    Join {
        user: usize,
        room: usize,
    },
    Leave {
        user: usize,
        room: usize,
    },
    Make {
        user: usize,
    },
    Say {
        user: usize,
        room: usize,
        text: String,
    },
    /// The clock goes on, or back.
    Time {
        days: i64,
    },
    /// The server stops, something happens to the files, and it starts again.
    Restart(Fault),
}

#[derive(Clone, Debug)]
enum Fault {
    Nothing,
    AllGone,
    FolderGone(usize),
    FileGone(usize),
    /// What a power cut may leave.
    FileShorter(usize, usize),
    /// What a kill may leave.
    FileLonger(usize),
    /// A kill between the files and the memory of them, at whatever earlier stop.
    OldProgress(usize),
    NoProgress,
    ProgressDamaged,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        2 => Just(Fault::Nothing),
        1 => Just(Fault::AllGone),
        2 => (0..9_usize).prop_map(Fault::FolderGone),
        2 => (0..9_usize).prop_map(Fault::FileGone),
        2 => (0..9_usize, 0..200_usize).prop_map(|(file, bytes)| Fault::FileShorter(file, bytes)),
        2 => (0..9_usize).prop_map(Fault::FileLonger),
        4 => (0..4_usize).prop_map(Fault::OldProgress),
        1 => Just(Fault::NoProgress),
        1 => Just(Fault::ProgressDamaged),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let (user, room) = (0..4_usize, 0..4_usize);
    let text = "[a-z\\\\\\t\\n\u{202e}\u{2028}é🙂]{1,40}x";
    prop_oneof![
        4 => (user.clone(), room.clone()).prop_map(|(user, room)| Step::Join { user, room }),
        2 => (user.clone(), room.clone()).prop_map(|(user, room)| Step::Leave { user, room }),
        1 => user.clone().prop_map(|user| Step::Make { user }),
        9 => (user, room, text).prop_map(|(user, room, text)| Step::Say { user, room, text }),
        1 => (-40..80_i64).prop_map(|days| Step::Time { days }),
        2 => fault().prop_map(Step::Restart),
    ]
}

fn paths(house: &House) -> Vec<PathBuf> {
    house.oracle.files().keys().map(|it| house.logs().join(it)).collect()
}

impl Fault {
    fn happen(&self, house: &House, earlier: &[Vec<u8>]) {
        let progress = house.place.path().join("chatlog.sqlite");
        let paths = paths(house);
        let file = |at: usize| paths.get(at % paths.len().max(1)).filter(|it| it.exists());
        match *self {
            Self::Nothing => {}
            Self::AllGone => fs::remove_dir_all(house.logs()).unwrap(),
            Self::FolderGone(at) => {
                if let Some(path) = file(at) {
                    fs::remove_dir_all(path.parent().unwrap()).unwrap();
                }
            }
            Self::FileGone(at) => {
                if let Some(path) = file(at) {
                    fs::remove_file(path).unwrap();
                }
            }
            Self::FileShorter(at, by) => {
                if let Some(path) = file(at) {
                    let text = fs::read(path).unwrap();
                    fs::write(path, &text[..text.len().saturating_sub(by)]).unwrap();
                }
            }
            Self::FileLonger(at) => {
                if let Some(path) = file(at) {
                    let text = fs::read(path).unwrap();
                    fs::write(path, [&text[..], b"2026-11-21T10:00"].concat()).unwrap();
                }
            }
            Self::OldProgress(at) => {
                if let Some(old) = earlier.get(at % earlier.len().max(1)) {
                    fs::write(progress, old).unwrap();
                }
            }
            Self::NoProgress => fs::remove_file(progress).unwrap(),
            Self::ProgressDamaged => fs::write(progress, "not a database at all").unwrap(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn after_a_start_the_logs_say_what_was_heard(
        steps in prop::collection::vec(step(), 1..80),
        limit in prop_oneof![Just(1_u64 << 28), 200..3_000_u64],
    ) {
        let mut house = House::limited(|limits| limits.chatlog_user_bytes = limit);
        let users: Vec<UserId> =
            ["Ann", "../Bea", "Çid 3", "D\\e"].map(|it| house.user(it)).into();
        let mut rooms = vec![RoomId(1)];
        let mut at = NOVEMBER;
        let mut earlier = Vec::new();
        for step in steps {
            at += 1_234;
            match step {
                Step::Join { user, room } => {
                    let (user, room) = (users[user], rooms[room % rooms.len()]);
                    if !house.oracle.is_member(room, user) {
                        house.join(room, user, at);
                    }
                }
                Step::Leave { user, room } => {
                    let (user, room) = (users[user], rooms[room % rooms.len()]);
                    if house.oracle.is_member(room, user) {
                        house.leave(room, user, at);
                    }
                }
                Step::Make { user } => {
                    let name = format!("room \\{}", rooms.len());
                    rooms.push(house.room(users[user], &name, at));
                }
                Step::Say { user, room, text } => {
                    let (user, room) = (users[user], rooms[room % rooms.len()]);
                    if house.oracle.is_member(room, user) {
                        house.say(room, user, at, &text);
                    }
                }
                Step::Time { days } => at = at.saturating_add_signed(days * DAY as i64),
                Step::Restart(fault) => {
                    house.follow();
                    house.assert_right();
                    earlier.push(fs::read(house.place.path().join("chatlog.sqlite")).unwrap());
                    fault.happen(&house, &earlier);
                }
            }
        }
        let figures = house.follow();
        prop_assert_eq!((figures.lag(), figures.behind), (0, 0));
        house.assert_right();
    }
}

//! Chat logs: what is in them, and that they say it again whatever happened to them.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_server::chat::Record;
use parlor_server::chatlog::{Chatlog, ChatlogFigures};
use parlor_server::store::Store;
use parlor_shared::{Fact, Limits, Nth, RoomEvent, RoomId, Seq, UnixMillis, UserId};
use tempfile::TempDir;

mod erased;
mod kill;
mod oracle;
mod property;

const DEADLINE: Duration = Duration::from_secs(20);
/// 2026-11-30T23:59:00Z: a minute before the month ends.
const NOVEMBER: u64 = 1_796_083_140_000;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A store to be filled by hand, and a folder for its chat logs.
struct House {
    place: TempDir,
    store: Store,
    rooms: BTreeMap<RoomId, (Seq, Nth)>,
    names: BTreeMap<UserId, String>,
    said: u64,
    limits: Limits,
    oracle: oracle::Oracle,
}

impl House {
    fn new() -> Self {
        // Nothing here is about syncing, and in memory it costs nothing.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let store = Store::open(place.path()).unwrap();
        let limits = Limits { chatlog_bytes_per_second: 1 << 40, ..Limits::default() };
        let oracle = oracle::Oracle::new(limits.chatlog_user_bytes);
        let rooms = BTreeMap::from([(RoomId(1), (Seq(0), Nth(0)))]);
        Self { place, store, rooms, names: BTreeMap::new(), said: 0, limits, oracle }
    }

    fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        let mut house = Self::new();
        change(&mut house.limits);
        house.oracle = oracle::Oracle::new(house.limits.chatlog_user_bytes);
        house
    }

    fn save(&mut self, records: &[Record]) {
        let mut batch = self.store.begin().unwrap();
        for record in records {
            batch.save(record).unwrap();
        }
        batch.commit().unwrap();
    }

    fn user(&mut self, name: &str) -> UserId {
        let user = UserId(self.names.len() as u64 + 1);
        let at = UnixMillis(0);
        self.save(&[Record::User { user, name: name.parse().unwrap(), at }]);
        self.names.insert(user, name.to_owned());
        user
    }

    fn room(&mut self, by: UserId, name: &str, at: u64) -> RoomId {
        let room = RoomId(self.rooms.len() as u64 + 1);
        let title: parlor_shared::RoomName = name.parse().unwrap();
        self.save(&[Record::Room { room, name: title.clone(), by }]);
        self.rooms.insert(room, (Seq(0), Nth(0)));
        self.oracle.rooms.insert(room, name.to_owned());
        self.happen(room, by, at, Fact::Opened { title });
        room
    }

    fn join(&mut self, room: RoomId, by: UserId, at: u64) {
        self.happen(room, by, at, Fact::Joined {});
    }

    fn leave(&mut self, room: RoomId, by: UserId, at: u64) {
        self.happen(room, by, at, Fact::Left {});
    }

    fn say(&mut self, room: RoomId, by: UserId, at: u64, text: &str) {
        self.said += 1;
        let client_id = format!("dev-{}", self.said).parse().unwrap();
        let nth = self.rooms[&room].1.next();
        self.happen(room, by, at, Fact::Said { nth, client_id, text: text.parse().unwrap() });
    }

    fn happen(&mut self, room: RoomId, by: UserId, at: u64, fact: Fact) {
        let place = self.rooms.get_mut(&room).unwrap();
        place.0 = place.0.next();
        if let Fact::Said { nth, .. } = &fact {
            place.1 = *nth;
        }
        let (seq, nth) = *place;
        let name = self.names[&by].parse().unwrap();
        let event = Arc::new(RoomEvent { room, seq, at: UnixMillis(at), by, name, fact });
        self.oracle.hear(&event, &self.names);
        self.save(&[Record::Event { event, nth }]);
    }

    fn logs(&self) -> PathBuf {
        self.place.path().join("logs")
    }

    fn start(&self) -> (Chatlog, std::thread::JoinHandle<()>) {
        let limits = Arc::new(self.limits.clone());
        Chatlog::start(&self.logs(), self.place.path(), &limits).unwrap()
    }

    /// As after a commit of many, for measurements.
    fn say_often(&mut self, room: RoomId, by: UserId, at: u64, text: &str, times: u64) {
        let name: parlor_shared::UserName = self.names[&by].parse().unwrap();
        let mut batch = self.store.begin().unwrap();
        for _ in 0..times {
            self.said += 1;
            let client_id = format!("dev-{}", self.said).parse().unwrap();
            let place = self.rooms.get_mut(&room).unwrap();
            *place = (place.0.next(), place.1.next());
            let (seq, nth) = *place;
            let fact = Fact::Said { nth, client_id, text: text.parse().unwrap() };
            let (at, name) = (UnixMillis(at), name.clone());
            let event = Arc::new(RoomEvent { room, seq, at, by, name, fact });
            batch.save(&Record::Event { event, nth }).unwrap();
        }
        batch.commit().unwrap();
    }

    /// One life of the server: everything that is pending is written before it stops.
    fn follow(&self) -> ChatlogFigures {
        let (chatlog, thread) = self.start();
        chatlog.stop(Instant::now() + DEADLINE);
        thread.join().unwrap();
        chatlog.figures()
    }

    fn assert_right(&self) {
        let (found, expected) = (files_in(&self.logs()), self.oracle.files());
        for (name, text) in &expected {
            assert_eq!(found.get(name), Some(text), "{name}");
        }
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    }

    fn file(&self, user: UserId, name: &str) -> PathBuf {
        self.logs().join(oracle::folder(user, &self.names[&user])).join(name)
    }
}

/// Every log's text, by its path inside `folder`.
fn files_in(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for user in fs::read_dir(folder).unwrap() {
        let user = user.unwrap();
        if user.file_name() == ".epoch" {
            continue;
        }
        for file in fs::read_dir(user.path()).unwrap() {
            let file = file.unwrap();
            let name = [user.file_name(), file.file_name()].map(|it| it.into_string().unwrap());
            files.insert(name.join("/"), fs::read_to_string(file.path()).unwrap());
        }
    }
    files
}

fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_true() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ann and Bea in the lobby and in a room, over the end of a month.
fn a_conversation() -> (House, UserId, UserId) {
    let mut house = House::new();
    let (ann, bea) = (house.user("Ann"), house.user("Bea Bär"));
    let lobby = RoomId(1);
    house.join(lobby, ann, NOVEMBER);
    house.say(lobby, ann, NOVEMBER + 1, "hello?");
    house.join(lobby, bea, NOVEMBER + 2);
    house.say(lobby, bea, NOVEMBER + 3, "a\tb\\n\n\u{202e}c");
    let den = house.room(ann, "the den", NOVEMBER + 4);
    house.say(den, ann, NOVEMBER + 5, "alone");
    house.join(den, bea, NOVEMBER + DAY);
    house.leave(lobby, ann, NOVEMBER + DAY + 1);
    house.say(lobby, bea, NOVEMBER + DAY + 2, "she does not hear this");
    house.join(lobby, ann, NOVEMBER + DAY + 3);
    house.leave(den, bea, NOVEMBER + DAY + 4);
    house.say(den, ann, NOVEMBER + DAY + 5, "nor she this");
    (house, ann, bea)
}

#[test]
fn each_user_has_the_lines_of_what_it_heard() {
    let (house, ann, bea) = a_conversation();
    let figures = house.follow();
    assert_eq!((figures.lag(), figures.behind), (0, 0));
    house.assert_right();
    let read = |user, name| fs::read_to_string(house.file(user, name)).unwrap();
    // Said once by hand, so that the oracle is not alone with itself.
    assert_eq!(
        read(bea, "2026-11.log"),
        "2026-11-30T23:59:00.002Z\tlobby\t3\tBea Bär\tjoined\n\
         2026-11-30T23:59:00.003Z\tlobby\t4\tBea Bär\tsaid\ta\\tb\\\\n\\n\\u{202e}c\n"
    );
    assert_eq!(
        read(ann, "2026-12.log"),
        "2026-12-01T23:59:00.000Z\tthe den\t3\tBea Bär\tjoined\n\
         2026-12-01T23:59:00.001Z\tlobby\t5\tAnn\tleft\n\
         2026-12-01T23:59:00.003Z\tlobby\t7\tAnn\tjoined\n\
         2026-12-01T23:59:00.004Z\tthe den\t4\tBea Bär\tleft\n\
         2026-12-01T23:59:00.005Z\tthe den\t5\tAnn\tsaid\tnor she this\n"
    );
    assert!(house.logs().join("2-Bea%20Bär").is_dir());
}

#[test]
fn deleted_logs_come_back_byte_for_byte() {
    let (house, ann, bea) = a_conversation();
    house.follow();
    let before = files_in(&house.logs());
    let folder = |user| house.file(user, "x").parent().unwrap().to_owned();
    fs::remove_dir_all(house.logs()).unwrap();
    assert_eq!(house.follow().behind, 0);
    assert_eq!(files_in(&house.logs()), before);
    fs::remove_dir_all(folder(ann)).unwrap();
    fs::remove_file(house.file(bea, "2026-11.log")).unwrap();
    house.follow();
    assert_eq!(files_in(&house.logs()), before);
    // Only what was missing is written again.
    assert_eq!(house.follow().bytes_written, 0);
}

/// A backup was restored: the history is another one, and nothing of the old one stays.
#[test]
fn another_history_has_other_logs() {
    let (house, _, _) = a_conversation();
    house.follow();
    let mut other = House::new();
    let ann = other.user("Ann");
    other.join(RoomId(1), ann, NOVEMBER + 40 * DAY);
    // More than the old one had, or its place alone would tell.
    for minute in 0..20 {
        other.say(RoomId(1), ann, NOVEMBER + 40 * DAY + minute * 60_000, "anew");
    }
    fs::rename(house.logs(), other.logs()).unwrap();
    let progress = |it: &House| it.place.path().join("chatlog.sqlite");
    fs::rename(progress(&house), progress(&other)).unwrap();
    other.follow();
    let expected = other.oracle.files();
    let mut found = files_in(&other.logs());
    // Whoever is not known any more keeps the old files: nobody writes there.
    found.retain(|name, _| !name.starts_with("2-"));
    assert_eq!(found, expected);
}

/// The process was killed after the files were written, before that was remembered.
#[test]
fn a_kill_between_writing_and_remembering_doubles_nothing() {
    let (mut house, ann, _) = a_conversation();
    house.follow();
    let progress = house.place.path().join("chatlog.sqlite");
    let saved = fs::read(&progress).unwrap();
    house.say(RoomId(1), ann, NOVEMBER + 2 * DAY, "written, not remembered");
    house.say(RoomId(1), ann, NOVEMBER + 62 * DAY, "a month that is not known");
    house.follow();
    fs::write(&progress, &saved).unwrap();
    house.follow();
    house.assert_right();
    // And a line cut in the middle.
    fs::write(&progress, &saved).unwrap();
    let file = house.file(ann, "2026-12.log");
    let text = fs::read(&file).unwrap();
    fs::write(&file, &text[..text.len() - 5]).unwrap();
    house.follow();
    house.assert_right();
}

#[test]
fn files_filled_with_zeros_by_a_power_cut_are_made_again() {
    let (house, ann, _) = a_conversation();
    house.follow();
    let file = house.file(ann, "2026-12.log");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
    fs::write(&file, &bytes).unwrap();
    house.follow();
    house.assert_right();
}

#[test]
fn only_the_owner_may_read_them() {
    let (house, ann, _) = a_conversation();
    house.follow();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = house.file(ann, "2026-11.log");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    assert_eq!(mode(&house.logs()), 0o700);
}

/// Somebody put a link where a log belongs: it is not followed, and the others' logs go on.
#[test]
fn links_are_not_followed() {
    let (mut house, ann, bea) = a_conversation();
    house.follow();
    let elsewhere = house.place.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let folder = house.file(ann, "x").parent().unwrap().to_owned();
    let aside = house.place.path().join("aside");
    fs::rename(&folder, &aside).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    let victim = elsewhere.join("victim");
    fs::write(&victim, "precious").unwrap();
    let december = house.file(bea, "2026-12.log");
    fs::remove_file(&december).unwrap();
    symlink(&victim, &december).unwrap();
    let cid = house.user("Cid");
    house.join(RoomId(1), cid, NOVEMBER + 2 * DAY);
    let figures = house.follow();
    assert_eq!((figures.behind, figures.lag()), (2, 0));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    assert!(house.file(cid, "2026-12.log").is_file());
    // Put right, they come back with the next start.
    fs::remove_file(&folder).unwrap();
    fs::remove_file(&december).unwrap();
    assert_eq!(house.follow().behind, 0);
    house.assert_right();
}

#[test]
fn the_oldest_month_goes_first() {
    let mut house = House::limited(|limits| limits.chatlog_user_bytes = 1000);
    let ann = house.user("Ann");
    house.join(RoomId(1), ann, NOVEMBER);
    for day in 0..90 {
        house.say(RoomId(1), ann, NOVEMBER + day * DAY, "some words");
    }
    house.follow();
    house.assert_right();
    assert!(!house.file(ann, "2026-11.log").exists());
    let kept = files_in(&house.logs()).values().map(String::len).sum::<usize>();
    assert!((400..=1000).contains(&kept), "{kept} bytes");
    // Not otherwise when it comes line by line.
    fs::remove_dir_all(house.logs()).unwrap();
    fs::remove_file(house.place.path().join("chatlog.sqlite")).unwrap();
    let mut slowly = House::limited(|limits| limits.chatlog_user_bytes = 1000);
    let ann = slowly.user("Ann");
    slowly.join(RoomId(1), ann, NOVEMBER);
    for day in 0..90 {
        slowly.say(RoomId(1), ann, NOVEMBER + day * DAY, "some words");
        if day % 7 == 0 {
            slowly.follow();
        }
    }
    slowly.follow();
    house.follow();
    assert_eq!(files_in(&slowly.logs()), files_in(&house.logs()));
}

#[test]
fn a_bell_is_heard_while_it_runs_and_files_that_vanish_come_back() {
    let (mut house, ann, _) = a_conversation();
    let (chatlog, thread) = house.start();
    eventually("caught up", || chatlog.figures().position > 0 && chatlog.figures().lag() == 0);
    house.assert_right();
    fs::remove_file(house.file(ann, "2026-12.log")).unwrap();
    house.say(RoomId(1), ann, NOVEMBER + 2 * DAY, "still there?");
    let newest = chatlog.figures().newest + 1;
    chatlog.bell().try_send(()).unwrap();
    eventually("heard", || chatlog.figures().position == newest && chatlog.figures().behind == 0);
    house.assert_right();
    chatlog.stop(Instant::now() + DEADLINE);
    thread.join().unwrap();
}

#[test]
fn it_writes_no_faster_than_its_pace() {
    let mut house = House::limited(|limits| limits.chatlog_bytes_per_second = 100_000);
    let ann = house.user("Ann");
    house.join(RoomId(1), ann, NOVEMBER);
    for _ in 0..15 {
        house.say(RoomId(1), ann, NOVEMBER, &"x".repeat(16_000));
    }
    let start = Instant::now();
    let (chatlog, thread) = house.start();
    // Two steps of 100,000 bytes have to be waited for before the last begins.
    eventually("written", || chatlog.figures().bytes_written > 240_000);
    assert!(start.elapsed() > Duration::from_millis(1_900), "{:?}", start.elapsed());
    chatlog.stop(Instant::now() + DEADLINE);
    thread.join().unwrap();
    house.assert_right();
}

/// There is no time to write, and yet the next start loses nothing.
#[test]
fn a_stop_without_time_leaves_the_rest_for_the_next_start() {
    let mut house = House::limited(|limits| limits.chatlog_bytes_per_second = 10_000);
    let ann = house.user("Ann");
    house.join(RoomId(1), ann, NOVEMBER);
    for _ in 0..20 {
        house.say(RoomId(1), ann, NOVEMBER, &"x".repeat(16_000));
    }
    let (chatlog, thread) = house.start();
    chatlog.stop(Instant::now());
    thread.join().unwrap();
    house.limits.chatlog_bytes_per_second = 1 << 40;
    house.follow();
    house.assert_right();
}

/// One row of the store is not what was written: the others are in the log all the same.
#[test]
fn a_damaged_event_is_passed_over() {
    let (house, _, _) = a_conversation();
    let file = parlor_server::store::file_in(house.place.path());
    let db = rusqlite::Connection::open(file).unwrap();
    db.execute("UPDATE event SET body = 'forged' WHERE body = 'alone'", []).unwrap();
    drop(db);
    assert_eq!(house.follow().lag(), 0);
    let mut expected = house.oracle.files();
    for text in expected.values_mut() {
        *text =
            text.lines().filter(|it| !it.ends_with("alone")).map(|it| format!("{it}\n")).collect();
    }
    assert_eq!(files_in(&house.logs()), expected);
}

/// Not a test but a measurement: `cargo test --release -p parlor-server --test it -- --ignored
/// --nocapture how_fast_logs`. 100 members, messages of 200 bytes.
#[test]
#[ignore = "a measurement"]
fn how_fast_logs_are_written() {
    let mut house = House::new();
    let lobby = RoomId(1);
    let users: Vec<_> = (0..100).map(|it| house.user(&format!("User {it}"))).collect();
    users.iter().for_each(|user| house.join(lobby, *user, NOVEMBER));
    house.say_often(lobby, users[0], NOVEMBER, &"x".repeat(200), 10_000);
    let start = Instant::now();
    let figures = house.follow();
    let (wall, lines) = (start.elapsed(), 100 * 10_000);
    println!(
        "{lines} lines, {} MB: {:.0} MB/s, {:.3} µs a line",
        figures.bytes_written / 1_000_000,
        figures.bytes_written as f64 / wall.as_secs_f64() / 1e6,
        wall.as_secs_f64() * 1e6 / f64::from(lines),
    );
    house.say_often(lobby, users[0], NOVEMBER, &"x".repeat(200), 190_000);
    // One user's log, made again out of a store of 200,000 events.
    house.limits.chatlog_user_bytes = 1 << 20;
    house.follow();
    fs::remove_dir_all(house.file(users[7], "x").parent().unwrap()).unwrap();
    let start = Instant::now();
    house.follow();
    println!("one log made again out of 200,000 events: {:?}", start.elapsed());
}

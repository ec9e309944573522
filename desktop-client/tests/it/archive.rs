//! What is kept on this computer: all of it, sealed, in one copy, whatever dies when.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use parlor_desktop::archive::{Archive, Keyring, NoKeyring, OpenError};
use parlor_desktop::model::{ArchiveNews, Keep, Opened, Pin, Session, SessionId, Ticket};
use parlor_shared::{
    ClientId, DeviceId, Epoch, Fact, Fingerprint, LOBBY_ID, Nth, ResumeToken, RoomEvent, RoomId,
    Seq, UnixMillis, UserId,
};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::sim::memory::Memory;

const PATIENCE: Duration = Duration::from_secs(20);
const SESSION: SessionId = SessionId(1);
/// The parent tells its child where to write.
const CHILD_FOLDER: &str = "PARLOR_ARCHIVE_CHILD";

struct Profile {
    archive: Archive,
    woken: Receiver<()>,
    device: DeviceId,
}

impl Profile {
    fn open(folder: &Path) -> (Self, Opened) {
        Self::try_open(folder).expect("it opens")
    }

    fn try_open(folder: &Path) -> Result<(Self, Opened), OpenError> {
        Self::with_keyring(folder, Box::new(NoKeyring))
    }

    fn with_keyring(folder: &Path, keyring: Box<dyn Keyring>) -> Result<(Self, Opened), OpenError> {
        let (wake, woken) = bounded(1);
        let waker = move || _ = wake.try_send(());
        let (archive, opened) = Archive::open(folder, keyring, Arc::new(waker))?;
        Ok((Self { archive, woken, device: opened.device }, opened))
    }

    fn keep(&mut self, orders: impl IntoIterator<Item = Keep>) {
        for keep in orders {
            self.archive.keep(keep);
        }
    }

    /// The next piece of news.
    fn news(&mut self) -> ArchiveNews {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(news) = self.archive.try_recv() {
                return news;
            }
            self.woken.recv_deadline(deadline).expect("news within the deadline");
        }
    }

    fn pending(&self, counter: u64, text: &str) -> Keep {
        Keep::Pending {
            session: SESSION,
            room: LOBBY_ID,
            client_id: ClientId { device: self.device, counter },
            text: text.parse().expect("a text"),
            at: UnixMillis(counter),
            failed: None,
            held: false,
        }
    }
}

fn session(number: u32, signed_in: bool) -> Keep {
    Keep::Session(Session {
        id: SessionId(number),
        address: format!("host{number}").parse().expect("an address"),
        user: UserId(u64::from(number)),
        name: "Ann".parse().expect("a name"),
        token: Some(ResumeToken([0xAB; 32])),
        epoch: Epoch([1; 8]),
        signed_in,
        is_locked: false,
        hosted: false,
    })
}

fn room(session: u32, room: u64, read: u64, last: u64) -> Keep {
    Keep::Room {
        session: SessionId(session),
        room: RoomId(room),
        name: format!("room {room}").parse().expect("a name"),
        read_seq: Seq(read),
        read_nth: Nth(read),
        last_seq: Seq(last),
        last_nth: Nth(last),
    }
}

fn said(room: u64, seq: u64, text: &str) -> RoomEvent {
    let client_id = "theirs-1".parse().expect("an id");
    let text = text.parse().expect("a text");
    let name = "Bob".parse().expect("a name");
    let fact = Fact::Said { nth: Nth(seq), client_id, text };
    let at = UnixMillis(seq);
    RoomEvent { room: RoomId(room), seq: Seq(seq), at, by: UserId(9), name, fact }
}

fn events(session: u32, room: u64, range: std::ops::RangeInclusive<u64>) -> Keep {
    let nth = Nth(*range.end());
    let events = range.map(|seq| said(room, seq, &format!("word {seq}"))).collect();
    Keep::Events { session: SessionId(session), room: RoomId(room), events, nth }
}

/// The key that a server is known by.
fn pin(host: u64, key: u8) -> Keep {
    let address = format!("host{host}").parse().expect("an address");
    Keep::Pin(Pin { address, key: Fingerprint([key; 32]) })
}

fn in_lobby(folder: &Path) -> Profile {
    let (mut profile, _) = Profile::open(folder);
    profile.keep([session(1, true), room(1, LOBBY_ID.0, 0, 0)]);
    profile
}

#[test]
fn everything_is_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    let one = profile.pending(41, "one");
    profile.keep([
        events(1, 1, 11..=20),
        events(1, 1, 5..=10),
        events(1, 1, 21..=21),
        room(1, 1, 15, 30),
        Keep::Draft { session: SESSION, room: LOBBY_ID, text: "half a".to_owned() },
        Keep::Draft { session: SESSION, room: LOBBY_ID, text: "half a thought".to_owned() },
        Keep::Selected { session: SESSION, room: LOBBY_ID },
        one,
    ]);
    let client_id = ClientId { device: profile.device, counter: 41 };
    assert_eq!(profile.news(), ArchiveNews::PendingSaved { room: LOBBY_ID, client_id });
    let device = profile.device;
    drop(profile);
    let (_profile, opened) = Profile::open(folder.path());
    assert_eq!((opened.device, opened.counter), (device, 41));
    let current = opened.current.expect("signed in");
    assert_eq!(current.selected, Some(LOBBY_ID));
    let lobby = &current.rooms[0];
    let seqs: Vec<_> = lobby.newest.iter().map(|it| it.seq.0).collect();
    assert_eq!(seqs, (5..=21).collect::<Vec<_>>());
    assert_eq!(lobby.newest[0], said(1, 5, "word 5"));
    assert_eq!((lobby.first_kept, lobby.kept_nth, lobby.last_seq), (Seq(5), Nth(21), Seq(30)));
    assert_eq!((lobby.read_seq, lobby.draft.as_str()), (Seq(15), "half a thought"));
    assert_eq!(lobby.outbox[0].text.as_str(), "one");
}

#[test]
fn older_events_come_in_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    profile.keep([events(1, 1, 100..=900)]);
    let mut ask = |before, limit| {
        let (session, room) = (SESSION, LOBBY_ID);
        let (ticket, before) = (Ticket(before), Seq(before));
        profile.keep([Keep::LoadOlder { ticket, session, room, before, limit }]);
        let ArchiveNews::Older { ticket: answered, events, .. } = profile.news() else {
            panic!("older events")
        };
        assert_eq!(answered, ticket);
        events.iter().map(|it| it.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(ask(701, 300), (401..=700).collect::<Vec<_>>());
    assert_eq!(ask(150, 300), (100..=149).collect::<Vec<_>>());
    assert_eq!(ask(100, 300), Vec::<u64>::new());
}

#[test]
fn no_word_and_no_token_is_on_disk_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    let waiting = profile.pending(1, "Tigerlily waits in the outbox");
    let mut kept = vec![said(1, 1, "Tigerlily was said")];
    kept[0].name = "Rosalind".parse().expect("a name");
    profile.keep([
        Keep::Events { session: SESSION, room: LOBBY_ID, events: kept, nth: Nth(1) },
        Keep::Draft { session: SESSION, room: LOBBY_ID, text: "Tigerlily in a draft".to_owned() },
        waiting,
    ]);
    profile.news();
    // While it is open the newest rows are in the write-ahead log.
    let look = |secret: &[u8], files_at_least: usize| {
        let files = std::fs::read_dir(folder.path()).expect("the folder");
        let paths: Vec<_> = files.map(|it| it.expect("an entry").path()).collect();
        assert!(paths.len() >= files_at_least, "{paths:?}");
        for path in paths {
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes.windows(secret.len()).any(|it| it == secret);
            assert!(!found, "{secret:?} is in {}", path.display());
        }
    };
    for secret in [b"Tigerlily".as_slice(), b"Rosalind", &[0xAB; 32]] {
        look(secret, 5);
    }
    drop(profile);
    for secret in [b"Tigerlily".as_slice(), b"Rosalind", &[0xAB; 32]] {
        look(secret, 3);
    }
}

#[test]
fn a_row_in_another_place_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    profile.keep([events(1, 1, 1..=2)]);
    drop(profile);
    let database = Connection::open(folder.path().join("archive.db")).expect("a database");
    let swap = "UPDATE event SET body = (SELECT body FROM event WHERE seq = 1) WHERE seq = 2";
    database.execute(swap, []).expect("a change");
    drop(database);
    let error = Profile::try_open(folder.path()).err().expect("it is refused");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn two_copies_cannot_share_a_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = in_lobby(folder.path());
    let error = Profile::try_open(folder.path()).err().expect("the second is refused");
    assert!(matches!(error, OpenError::InUse), "{error}");
    drop(first);
    Profile::open(folder.path());
}

#[test]
fn a_profile_of_a_newer_parlor_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(in_lobby(folder.path()));
    let file = folder.path().join("archive.db");
    let database = Connection::open(&file).expect("a database");
    database.pragma_update(None, "user_version", 99).expect("a change");
    database.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap_or_default();
    drop(database);
    let before = std::fs::read(&file).expect("the file");
    let error = Profile::try_open(folder.path()).err().expect("it is refused");
    assert!(matches!(error, OpenError::Newer), "{error}");
    assert!(std::fs::read(&file).expect("the file") == before, "not a byte was changed");
}

#[test]
fn a_lost_key_is_said_and_no_new_one_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(in_lobby(folder.path()));
    let key = folder.path().join("archive.key");
    std::fs::remove_file(&key).expect("a key");
    let error = Profile::try_open(folder.path()).err().expect("it is refused");
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert!(!key.exists());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("profiles").join("mine");
    drop(in_lobby(&place));
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    assert_eq!(mode(&place.join("archive.key")), 0o600);
}

#[test]
fn an_update_of_the_app_reads_anew_what_the_last_one_did_not_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    let mut unknown = said(1, 3, "x");
    unknown.fact = Fact::Unknown;
    let nth = Nth(2);
    let unknown = Keep::Events { session: SESSION, room: LOBBY_ID, events: vec![unknown], nth };
    profile.keep([events(1, 1, 1..=2), unknown, room(1, 1, 2, 3)]);
    profile.keep([room(1, 2, 0, 0), events(1, 2, 1..=2)]);
    drop(profile);
    let rooms = |opened: Opened| {
        let rooms = opened.current.expect("signed in").rooms;
        rooms.iter().map(|it| (it.newest.len(), it.read_seq.0)).collect::<Vec<_>>()
    };
    let (profile, opened) = Profile::open(folder.path());
    assert_eq!(rooms(opened), [(3, 2), (2, 0)]);
    drop(profile);
    let database = Connection::open(folder.path().join("archive.db")).expect("a database");
    let older = "UPDATE profile SET value = '0.0.0' WHERE name = 'app'";
    assert_eq!(database.execute(older, []).expect("a change"), 1);
    drop(database);
    let (_profile, opened) = Profile::open(folder.path());
    assert_eq!(rooms(opened), [(0, 2), (2, 0)]);
}

#[test]
fn a_disk_that_fails_is_said_and_nothing_counts_as_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    let one = profile.pending(1, "one");
    profile.keep([one]);
    assert!(matches!(profile.news(), ArchiveNews::PendingSaved { .. }));
    let database = Connection::open(folder.path().join("archive.db")).expect("a database");
    database.execute_batch("DROP TABLE outbox").expect("a change");
    let two = profile.pending(2, "two");
    profile.keep([two]);
    assert!(matches!(profile.news(), ArchiveNews::Failed { .. }));
}

#[test]
fn more_orders_than_fit_wait_their_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    let orders: Vec<_> = (1..=20_000).map(|seq| events(1, 1, seq..=seq)).collect();
    profile.keep(orders);
    assert!(profile.archive.is_behind(), "the disk is not that fast");
    let deadline = Instant::now() + PATIENCE;
    while profile.archive.is_behind() {
        profile.woken.recv_deadline(deadline).expect("woken when there is room again");
        assert_eq!(profile.archive.try_recv(), None);
    }
    drop(profile);
    let (_profile, opened) = Profile::open(folder.path());
    let lobby = &opened.current.expect("signed in").rooms[0];
    assert_eq!((lobby.first_kept, lobby.kept_nth), (Seq(1), Nth(20_000)));
}

#[test]
fn the_oldest_events_give_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut profile = in_lobby(folder.path());
    for start in (1..=230_000).step_by(10_000) {
        profile.keep([events(1, 1, start..=start + 9_999)]);
    }
    drop(profile);
    let (mut profile, opened) = Profile::open(folder.path());
    let lobby = &opened.current.expect("signed in").rooms[0];
    assert_eq!(lobby.kept_nth, Nth(230_000));
    assert!(lobby.first_kept > Seq(20_000), "{}", lobby.first_kept);
    let (ticket, session, room) = (Ticket(1), SESSION, LOBBY_ID);
    let before = Seq(lobby.first_kept.0 + 5);
    profile.keep([Keep::LoadOlder { ticket, session, room, before, limit: 300 }]);
    let ArchiveNews::Older { events, .. } = profile.news() else { panic!("older events") };
    assert_eq!(events.len(), 5);
}

/// Profiles that finished versions made, one folder per schema.
const PROFILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/profiles");
const LAST_SEQ: u64 = 40;

/// Makes the profile of today's schema; to be committed when the schema is finished, and never
/// changed after that.
#[test]
#[ignore = "writes into the repository"]
fn make_profile() {
    let place = Path::new(PROFILES).join("3");
    let mut profile = in_lobby(&place);
    let waiting = profile.pending(7, "still to be said");
    profile.keep([
        events(1, 1, 1..=LAST_SEQ),
        room(1, 1, 30, LAST_SEQ),
        Keep::Draft { session: SESSION, room: LOBBY_ID, text: "half a thought".to_owned() },
        Keep::Selected { session: SESSION, room: LOBBY_ID },
        pin(1, 0x5e),
        waiting,
    ]);
    profile.news();
    drop(profile);
    std::fs::remove_file(place.join("archive.lock")).expect("the lock");
}

#[test]
fn a_profile_of_every_version_opens_with_every_seq() {
    let versions = std::fs::read_dir(PROFILES).expect("the profiles");
    let mut seen = 0;
    for version in versions {
        let version = version.expect("a version").path();
        let folder = tempfile::tempdir().expect("a folder");
        for file in std::fs::read_dir(&version).expect("a profile") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), folder.path().join(file.file_name())).expect("a copy");
        }
        let (_profile, opened) = Profile::open(folder.path());
        assert_eq!(opened.counter, 7);
        let current = opened.current.expect("signed in");
        assert_eq!(current.session.token, Some(ResumeToken([0xAB; 32])));
        let lobby = &current.rooms[0];
        let expected: Vec<_> =
            (1..=LAST_SEQ).map(|it| said(1, it, &format!("word {it}"))).collect();
        assert_eq!(lobby.newest, expected);
        assert_eq!((lobby.read_seq, lobby.draft.as_str()), (Seq(30), "half a thought"));
        assert_eq!(lobby.outbox[0].text.as_str(), "still to be said");
        seen += 1;
    }
    assert!(seen > 0, "there are profiles to open");
}

/// Not a test of its own: the process that the test below kills. Says each message's number
/// once the archive has said that it is saved.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let mut profile = in_lobby(Path::new(&folder));
    for counter in 1.. {
        let pending = profile.pending(counter, &format!("message {counter}"));
        profile.keep([pin(counter, 1), events(1, 1, counter..=counter), pending]);
        let ArchiveNews::PendingSaved { client_id, .. } = profile.news() else {
            panic!("not saved")
        };
        println!("\nsaved {}", client_id.counter);
    }
}

#[test]
fn what_was_saved_survives_a_kill() {
    let program = std::env::current_exe().expect("this test");
    for lines in [1, 7, 60, 200] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(&program)
            .args(["--exact", "archive::child", "--nocapture"])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut told = 0;
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        for line in stdout.lines() {
            let line = line.expect("a line");
            if let Some(number) = line.strip_prefix("saved ") {
                told = number.parse().expect("a number");
                if told == lines {
                    child.kill().expect("SIGKILL");
                    break;
                }
            }
        }
        child.wait().expect("its end");
        assert_eq!(told, lines);
        let (_profile, opened) = Profile::open(folder.path());
        let lobby = &opened.current.expect("signed in").rooms[0];
        let kept: Vec<_> = lobby.outbox.iter().map(|it| it.client_id.counter).collect();
        assert!(kept.len() as u64 >= told, "{told} were told saved, {} are there", kept.len());
        assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<_>>(), "in order");
        assert_eq!(opened.counter, kept.len() as u64, "no counter is used again");
        // Kept together with its message, or earlier.
        assert!(lobby.kept_nth.0 >= told);
        assert!(opened.pins.len() as u64 >= told, "{told} were told, {:?}", opened.pins);
    }
}

/// Something that the model orders, in words that fit any state.
#[derive(Clone, Debug)]
enum Op {
    Session(u32, bool),
    ForgetSession(u32),
    Pin(u64, u8),
    ForgetPin(u64),
    Room { room: u64, read: u64 },
    ForgetRoom(u64),
    Append { room: u64, count: u64 },
    Prepend { room: u64, count: u64 },
    Pending { room: u64 },
    Fail { room: u64 },
    Retry { room: u64 },
    Settle { room: u64 },
    Draft { room: u64, text: String },
    Selected(u64),
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let room = 1_u64..3;
    prop_oneof![
        1 => (1_u32..3, any::<bool>()).prop_map(|(id, signed_in)| Op::Session(id, signed_in)),
        1 => (2_u32..3).prop_map(Op::ForgetSession),
        2 => (1_u64..4, 1_u8..3).prop_map(|(host, key)| Op::Pin(host, key)),
        1 => (1_u64..4).prop_map(Op::ForgetPin),
        3 => (room.clone(), 0_u64..50).prop_map(|(room, read)| Op::Room { room, read }),
        1 => room.clone().prop_map(Op::ForgetRoom),
        6 => (room.clone(), 1_u64..8).prop_map(|(room, count)| Op::Append { room, count }),
        3 => (room.clone(), 1_u64..8).prop_map(|(room, count)| Op::Prepend { room, count }),
        5 => room.clone().prop_map(|room| Op::Pending { room }),
        2 => room.clone().prop_map(|room| Op::Fail { room }),
        2 => room.clone().prop_map(|room| Op::Retry { room }),
        2 => room.clone().prop_map(|room| Op::Settle { room }),
        2 => (room.clone(), "[a-z]{0,9}").prop_map(|(room, text)| Op::Draft { room, text }),
        1 => room.prop_map(Op::Selected),
        2 => Just(Op::Reopen),
    ]
}

/// The orders of an operation, given what is kept; none where the model would not say so.
fn orders(op: &Op, memory: &Memory) -> Vec<Keep> {
    let kept = memory.kept_of(SESSION);
    let room_of = |number: u64| kept.iter().flat_map(|it| &it.rooms).find(|it| it.room.0 == number);
    let pending = |number: u64, text: &str, failed: Option<&str>, of: ClientId| Keep::Pending {
        session: SESSION,
        room: RoomId(number),
        client_id: of,
        text: text.parse().expect("a text"),
        at: UnixMillis(of.counter),
        failed: failed.map(str::to_owned),
        held: false,
    };
    match op {
        Op::Session(id, signed_in) => vec![session(*id, *signed_in)],
        Op::ForgetSession(id) => vec![Keep::ForgetSession(SessionId(*id))],
        Op::Pin(host, key) => vec![pin(*host, *key)],
        Op::ForgetPin(host) => {
            vec![Keep::ForgetPin(format!("host{host}").parse().expect("an address"))]
        }
        Op::Room { room: number, read } if kept.is_some() => vec![room(1, *number, *read, 60)],
        Op::Selected(number) if kept.is_some() => {
            vec![Keep::Selected { session: SESSION, room: RoomId(*number) }]
        }
        Op::ForgetRoom(number) => {
            vec![Keep::ForgetRoom { session: SESSION, room: RoomId(*number) }]
        }
        Op::Append { room, count } => room_of(*room).map_or(Vec::new(), |kept| {
            let next = kept.newest.last().map_or(20, |it| it.seq.0 + 1);
            vec![events(1, *room, next..=next + count - 1)]
        }),
        Op::Prepend { room, count } => room_of(*room).map_or(Vec::new(), |kept| {
            let first = kept.first_kept.0;
            let from = first.saturating_sub(*count).max(1);
            if first > from { vec![events(1, *room, from..=first - 1)] } else { Vec::new() }
        }),
        Op::Pending { room } => room_of(*room).map_or(Vec::new(), |_| {
            let client_id = ClientId { device: memory.device, counter: memory.counter + 1 };
            vec![pending(*room, "something", None, client_id)]
        }),
        Op::Fail { room } => {
            room_of(*room).and_then(|it| it.outbox.first()).map_or(Vec::new(), |it| {
                vec![pending(*room, "something", Some("storage_full"), it.client_id)]
            })
        }
        Op::Retry { room } => room_of(*room)
            .and_then(|it| it.outbox.iter().find(|it| it.failed.is_some()))
            .map_or(Vec::new(), |it| vec![pending(*room, "something", None, it.client_id)]),
        Op::Settle { room } => {
            room_of(*room).and_then(|it| it.outbox.last()).map_or(Vec::new(), |it| {
                let (session, room, client_id) = (SESSION, RoomId(*room), it.client_id);
                vec![Keep::Settled { session, room, client_id }]
            })
        }
        Op::Draft { room, text } => {
            let (room, text) = (RoomId(*room), text.clone());
            vec![Keep::Draft { session: SESSION, room, text }]
        }
        Op::Room { .. } | Op::Selected(_) | Op::Reopen => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// The archive in memory, on which the simulation rests, and the one on disk are one.
    #[test]
    fn disk_and_memory_keep_the_same(ops in prop::collection::vec(op(), 1..60)) {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut profile, opened) = Profile::open(folder.path());
        let mut memory = Memory::new(opened.device.as_str(), 200);
        let first = [Op::Session(1, true), Op::Room { room: 1, read: 0 }];
        for op in first.iter().chain(&ops) {
            if let Op::Reopen = op {
                drop(profile);
                let (again, opened) = Profile::open(folder.path());
                profile = again;
                prop_assert_eq!(opened, memory.opened());
            }
            for keep in orders(op, &memory) {
                memory.queue.push_back(keep.clone());
                memory.commit(1);
                profile.keep([keep]);
            }
        }
        drop(profile);
        let (_profile, opened) = Profile::open(folder.path());
        prop_assert_eq!(opened, memory.opened());
    }
}

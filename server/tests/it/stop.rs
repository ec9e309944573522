//! Ending and not starting: signals under load, a second server on the same folder, a taken port,
//! folders and databases that cannot be used. Each "no" is one sentence and leaves no trace.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parlor_shared::{LOBBY_ID, Limits, Refusal};
use rustix::process::Signal;

use crate::client::Silence;
use crate::harness::{Ended, PATIENCE, Setup, snapshot};
use crate::load::{Talker, settle};

/// Everything acknowledged is there, and everybody was told, although all talked all the time.
#[test]
fn told_to_stop_under_load_it_keeps_its_word_and_says_goodbye() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = tempfile::tempdir().expect("a folder");
        let mut server = Setup::on(data.path()).unhurried().start();
        let mut talkers: Vec<Talker> = (0..8)
            .map(|it| Talker::arrive(server.address, &format!("T{it}")).expect("a welcome"))
            .collect();
        let took = std::thread::scope(|scope| {
            for talker in &mut talkers {
                scope.spawn(|| {
                    talker.talk(1_000_000, 16);
                    talker.cut();
                });
            }
            // In the middle of it: when somebody has heard a few hundred.
            let mut witness = server.guest("Witness");
            while witness.room_event().expect("an event").seq.0 < 400 {}
            let began = Instant::now();
            server.signal(signal);
            let status = server
                .wait(Duration::from_secs(5))
                .unwrap_or_else(|| panic!("not within 5 s: {}", server.said()));
            assert!(status.success(), "{status}: {}", server.said());
            began.elapsed()
        });
        let acked: usize = talkers.iter().map(Talker::acked).sum();
        println!("stopped after {took:?} with {acked} acknowledged");
        for talker in &talkers {
            assert!(talker.was_told(), "somebody was not told");
        }
        drop(server);
        let server = Setup::on(data.path()).unhurried().start();
        settle(&server, talkers);
        server.stop();
    }
}

/// Idle ones are told as well, each with a wait of its own, and new ones are not taken.
#[test]
fn everybody_hears_that_it_goes_and_when_to_come_back() {
    let data = tempfile::tempdir().expect("a folder");
    let mut server = Setup::on(data.path()).start();
    let mut stranger = server.client();
    let mut guests: Vec<_> = (0..20).map(|it| server.guest(&format!("Guest {it}"))).collect();
    server.signal(Signal::TERM);
    let mut waits = std::collections::BTreeSet::new();
    for guest in &mut guests {
        let wait = loop {
            if let parlor_shared::Notice::GoingAway { wait_millis } = guest.notice().expect("told")
            {
                break wait_millis;
            }
        };
        waits.insert(wait);
        assert!(guest.is_closed_within(PATIENCE));
    }
    assert!(waits.len() > 10, "they would all come back at once: {waits:?}");
    assert!(stranger.is_closed_within(PATIENCE));
    assert!(server.wait(PATIENCE).expect("it ends").success());
}

/// Runs it where it must not start: it ends by itself, in time, with one sentence.
fn refused(setup: &Setup, code: i32, words: &[&str]) {
    let began = Instant::now();
    let (Ended { status, said }, _) = setup.run(&[]);
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    assert_eq!(status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

/// Nothing was written, made or removed.
fn unchanged(before: &[(PathBuf, Vec<u8>)], folder: &Path) {
    let after = snapshot(folder);
    let names = |of: &[(PathBuf, Vec<u8>)]| of.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(before), "files were made or removed");
    for (was, is) in before.iter().zip(&after) {
        assert!(was.1 == is.1, "{} was written", was.0.display());
    }
}

#[test]
fn a_second_server_on_the_same_folder_refuses_and_writes_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Setup::on(data.path()).start();
    let mut ann = server.guest("Ann");
    ann.say(LOBBY_ID, "a-1", "hello").expect("said");
    let before = snapshot(data.path());
    refused(&Setup::on(data.path()), 73, &["used by another"]);
    unchanged(&before, data.path());
    assert!(ann.say(LOBBY_ID, "a-2", "still here").is_ok());
    // The lock dies with the process, however that ends.
    server.kill();
    Setup::on(data.path()).start().stop();
}

#[test]
fn a_taken_port_is_said_and_nothing_is_written() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("data");
    refused(&Setup::on(&data).with("--bind", &address), 69, &[&address, "--bind"]);
    refused(&Setup::on(&data).with("--bind", "192.0.2.1:7666"), 69, &["192.0.2.1:7666"]);
    assert!(!data.exists(), "a folder was made");
}

#[test]
fn a_folder_that_cannot_be_used_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("file");
    fs::write(&file, "not a folder").expect("a file");
    refused(&Setup::on(&file), 73, &["cannot be used as data folder"]);
    refused(&Setup::on(file.join("in it")), 73, &["cannot be used as data folder"]);
    refused(&Setup::on("/proc/parlor"), 73, &["cannot be used as data folder"]);
    assert_eq!(fs::read_to_string(&file).expect("as it was"), "not a folder");
}

#[test]
fn a_wrong_command_line_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let setup = || Setup::on(home.path().join("data"));
    refused(&setup().limit("no_such_limit", 1), 64, &["no_such_limit"]);
    let (ended, _) = setup().with("--limit", "connections=many").run(&[]);
    assert!(!ended.status.success() && ended.said.contains("many"), "{}", ended.said);
    assert!(!home.path().join("data").exists());
}

/// A folder with some history, as a good end leaves it.
fn lived_in(data: &Path) {
    let server = Setup::on(data).unhurried().start();
    let mut ann = server.guest("Ann");
    for number in 1..=400 {
        ann.say(LOBBY_ID, &format!("a-{number}"), &"some words ".repeat(20)).expect("said");
    }
    server.stop();
    fs::remove_dir_all(data.join("logs")).expect("its logs");
}

#[test]
fn a_damaged_database_is_noticed_and_not_touched() {
    type Spoil = fn(&mut Vec<u8>);
    let spoils: [(&str, Spoil); 5] = [
        ("header", |it| it[..16].copy_from_slice(b"not a database!!")),
        ("schema", |it| it[100..400].fill(0xaa)),
        ("middle", |it| {
            let middle = it.len() / 2 / 4096 * 4096;
            it[middle..middle + 4096].fill(0x5a);
        }),
        ("half", |it| it.truncate(it.len() / 2)),
        ("one byte of a page's head", |it| {
            let page = it.len() / 2 / 4096 * 4096;
            it[page + 3] ^= 0x40;
        }),
    ];
    let home = tempfile::tempdir().expect("a folder");
    let lived = home.path().join("lived");
    lived_in(&lived);
    for (name, spoil) in spoils {
        let data = home.path().join(name);
        crate::harness::copy_folder(&lived, &data);
        let file = data.join("parlor.sqlite");
        let mut bytes = fs::read(&file).expect("the database");
        spoil(&mut bytes);
        fs::write(&file, bytes).expect("written");
        let before = snapshot(&data);
        refused(&Setup::on(&data), 65, &["parlor-server check"]);
        unchanged(&before, &data);
        let (ended, said) = Setup::on(&data).run(&["check"]);
        assert_eq!(ended.status.code(), Some(65), "{name}: {said}{}", ended.said);
        unchanged(&before, &data);
    }
    // And what was not spoilt is sound.
    let (ended, said) = Setup::on(&lived).run(&["check"]);
    assert!(ended.status.success() && said.contains("401 events"), "{said}{}", ended.said);
    Setup::on(&lived).start().stop();
}

/// A changed letter in a stored message is noticed when it is read, not shown as if it were true.
#[test]
fn a_changed_letter_is_not_served() {
    let home = tempfile::tempdir().expect("a folder");
    lived_in(home.path());
    let file = home.path().join("parlor.sqlite");
    let mut bytes = fs::read(&file).expect("the database");
    let at = bytes.windows(10).rposition(|it| it == b"some words").expect("a text");
    bytes[at] = b'S';
    fs::write(&file, bytes).expect("written");
    let (ended, said) = Setup::on(home.path()).run(&["check"]);
    assert_eq!(ended.status.code(), Some(65), "{said}{}", ended.said);
    let server = Setup::on(home.path()).unhurried().start();
    let mut bob = server.guest("Bob");
    let mut damaged = 0;
    for place in 1..=401 {
        let around = parlor_shared::PageAt::Around(parlor_shared::Seq(place));
        match bob.page(LOBBY_ID, around, Some(1)) {
            Ok((events, _)) => {
                if let parlor_shared::Fact::Said { text, .. } = &events[0].fact {
                    assert!(!text.as_str().contains("Some"), "served as if it were true");
                }
            }
            Err(Refusal::RateLimited { retry_millis }) => panic!("wait {retry_millis}"),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::HistoryDamaged);
                damaged += 1;
            }
        }
    }
    assert_eq!(damaged, 1);
    server.stop();
}

#[test]
fn a_database_of_a_newer_or_another_program_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let newer = home.path().join("newer");
    lived_in(&newer);
    let foreign = home.path().join("foreign");
    fs::create_dir(&foreign).expect("a folder");
    let sql = |folder: &Path, words: &str| {
        let db = rusqlite::Connection::open(folder.join("parlor.sqlite")).expect("it opens");
        db.execute_batch(words).expect("it runs");
    };
    sql(&newer, "PRAGMA user_version = 999;");
    sql(&foreign, "CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('la');");
    for (folder, words) in [(&newer, &["newer", "999"][..]), (&foreign, &["not a database of"])] {
        // The lock file is there in a folder that was used.
        fs::write(folder.join("lock"), "").expect("written");
        let before = snapshot(folder);
        refused(&Setup::on(folder), 65, words);
        unchanged(&before, folder);
    }
}

#[test]
fn limits_are_printed_with_their_reasons() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("data");
    let (ended, printed) = Setup::on(&data).limit("stop_millis", 1_234).run(&["limits"]);
    assert!(ended.status.success());
    for (name, value, reason) in Limits::default().iter() {
        let line = printed.lines().find(|it| it.split_whitespace().next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not printed"));
        let value = if name == "stop_millis" { 1_234 } else { value };
        assert!(line.ends_with(reason) && line.contains(&format!(" {value} ")), "{line}");
    }
    assert!(!data.exists(), "printing made a folder");
    let (ended, printed) = Setup::on(&data).run(&["check"]);
    assert!(!ended.status.success(), "a folder that is not there is sound: {printed}");
    assert!(!data.exists(), "checking made a folder");
}

/// The end of the server is the end of the connection, also in the middle of a request.
#[test]
fn nobody_hangs_on_a_killed_server() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Setup::on(data.path()).start();
    let mut ann = server.guest("Ann");
    ann.send_bytes(b"{\"id\":9,\"say\"");
    server.kill();
    while ann.event(PATIENCE).is_ok() {}
    assert_eq!(ann.line(PATIENCE), Err(Silence::Closed));
}

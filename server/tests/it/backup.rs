//! Backups of the real program: made while everybody talks, on disks that fail or are full, ended
//! in the middle; and what comes back from them.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

mod archives;
mod restoring;
mod scheduled;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use parlor_shared::{Epoch, LOBBY_ID, Seq};
use rustix::process::{Pid, Signal, kill_process};

use crate::checker::Outcome;
use crate::harness::{self, Ended, PATIENCE, Setup, TestServer};
use crate::kill::SmallDisk;
use crate::load::Talker;

/// A folder for data folders and backups, and the first of each.
struct Yard {
    home: tempfile::TempDir,
}

impl Yard {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.at("data")
    }

    /// A data folder in which Ann said `texts` things; her, not connected.
    fn lived_in(&self, texts: usize) -> Talker {
        let server = setup(&self.data()).start();
        let mut ann = Talker::arrive(server.address, "Ann").unwrap();
        ann.talk(texts, 8);
        ann.cut();
        server.stop();
        ann
    }

    fn backup(&self, name: &str) -> PathBuf {
        let file = self.at(name);
        done(run(&self.data(), &["backup", text(&file)]));
        file
    }

    /// What lies in it, the two files left out by which SQLite reads.
    fn names(&self) -> Vec<String> {
        names(self.home.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn setup(data: &Path) -> Setup {
    Setup::on(data).unhurried()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(data: &Path, verb: &[&str]) -> (Ended, String) {
    setup(data).run(verb)
}

/// It went well; what it printed.
fn done((ended, printed): (Ended, String)) -> String {
    assert!(ended.status.success(), "{ended:?} {printed}");
    printed
}

/// It did not; what it said.
fn failed((ended, printed): (Ended, String), code: i32, says: &str) {
    assert_eq!(ended.status.code(), Some(code), "{ended:?} {printed}");
    assert!(ended.said.contains(says), "{}", ended.said);
    assert_eq!(ended.said.lines().count(), 1, "one sentence: {}", ended.said);
}

fn acked(talker: &Talker) -> Vec<(Seq, String)> {
    let said = talker.tries.iter().filter_map(|it| match it.outcome {
        Outcome::Ok(seq) => Some((seq, it.text.clone())),
        Outcome::Rejected | Outcome::Unknown => None,
    });
    said.collect()
}

/// What is in the lobby, as somebody who comes back reads it, and which history it is.
fn story(server: &TestServer, who: &Talker) -> (Epoch, Vec<parlor_shared::RoomEvent>) {
    let mut client = server.client();
    let welcome = client.resume(who.token()).unwrap();
    (welcome.epoch, client.after(LOBBY_ID, Seq(0)))
}

fn has(events: &[parlor_shared::RoomEvent], said: &[(Seq, String)]) {
    for (seq, text) in said {
        let event = &events[seq.0 as usize - 1];
        assert_eq!(event.seq, *seq);
        let parlor_shared::Fact::Said { text: found, .. } = &event.fact else {
            panic!("{event:?} instead of {text}")
        };
        assert_eq!(found.as_str(), text);
    }
}

/// A backup that takes long enough to do something meanwhile.
fn slow_backup(yard: &Yard, file: &Path) -> Child {
    let slow = setup(&yard.data()).limit("backup_bytes_per_second", 2_000);
    let mut command = slow.command();
    command.args(["backup", text(file)]).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let part = PathBuf::from(format!("{}.part", file.display()));
    harness::wait_for(PATIENCE, || part.exists().then_some(())).expect("it began");
    child
}

fn end(mut child: Child, signal: Signal) -> Option<i32> {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = harness::wait_for(PATIENCE, || child.try_wait().unwrap());
    status.expect("it ends").code()
}

#[test]
fn a_backup_of_a_busy_server_has_everything_that_was_acknowledged_before_it() {
    let yard = Yard::new();
    let server = setup(&yard.data()).start();
    let mut talkers: Vec<Talker> =
        ["Ann", "Bob", "Cleo"].map(|it| Talker::arrive(server.address, it).unwrap()).into();
    for talker in &mut talkers {
        talker.talk(200, 16);
    }
    let is_over = AtomicBool::new(false);
    let file = yard.at("busy.tar");
    let before: Vec<_> = talkers.iter().flat_map(acked).collect();
    assert_eq!(before.len(), 600);
    let printed = std::thread::scope(|scope| {
        for talker in &mut talkers {
            let talk = || {
                while !is_over.load(Ordering::Relaxed) {
                    talker.talk(50, 16);
                }
            };
            std::thread::Builder::new().spawn_scoped(scope, talk).unwrap();
        }
        // Three in a row, the last one slow enough that much is said meanwhile.
        done(run(&yard.data(), &["backup", text(&yard.at("first.tar"))]));
        done(run(&yard.data(), &["backup", text(&yard.at("second.tar"))]));
        let slow = setup(&yard.data()).limit("backup_bytes_per_second", 1_000_000);
        let printed = slow.run(&["backup", text(&file)]);
        is_over.store(true, Ordering::Relaxed);
        done(printed)
    });
    assert!(printed.contains("3 users") && printed.contains("sound"), "{printed}");
    let (live, everything) = story(&server, &talkers[0]);
    server.stop();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    done(run(&yard.at("other"), &["restore", text(&file)]));
    let server = setup(&yard.at("other")).start();
    let (epoch, events) = story(&server, &talkers[0]);
    assert_ne!(epoch, live, "another history begins");
    has(&events, &before);
    // One state of it, not a mixture.
    assert_eq!(events[..], everything[..events.len()]);
    assert!(events.len() < everything.len(), "nothing was said meanwhile");
    println!("{} events in the backup, {} at the end", events.len(), everything.len());
    server.stop();
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_force() {
    let yard = Yard::new();
    yard.lived_in(3);
    let file = yard.at("mine");
    fs::write(&file, "precious").unwrap();
    failed(run(&yard.data(), &["backup", text(&file)]), 73, "is there already");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    done(run(&yard.data(), &["backup", text(&file), "--force"]));
    assert!(fs::metadata(&file).unwrap().len() > 10_000);
    failed(run(&yard.data(), &["backup", text(yard.home.path())]), 73, "is a folder");
    failed(run(&yard.data(), &["backup", text(&yard.at("no/such"))]), 66, "there is no");
    failed(run(&yard.at("nowhere"), &["backup", text(&yard.at("x"))]), 65, "not a database");
    assert_eq!(yard.names(), ["data", "mine"]);
}

/// What it leaves when it fails: nothing, and the earlier backup as it was.
fn leaves_nothing(yard: &Yard, earlier: &[u8]) {
    assert_eq!(yard.names(), ["data", "old.tar"]);
    assert!(fs::read(yard.at("old.tar")).unwrap() == earlier, "the earlier backup changed");
}

#[test]
fn a_disk_that_is_full_or_fails_leaves_the_earlier_backup() {
    let yard = Yard::new();
    yard.lived_in(40);
    let file = yard.backup("old.tar");
    let earlier = fs::read(&file).unwrap();
    let mut failures = 0;
    for (call, fault, says) in [
        ("pwrite64", "error=ENOSPC", "is full"),
        ("write", "error=ENOSPC", "is full"),
        ("write", "error=EDQUOT", "is full"),
        ("write", "error=EIO", "old.tar"),
        ("fsync", "error=EIO", "old.tar"),
        ("rename", "error=EROFS", "not allowed"),
    ] {
        // The third fsync is of the folder: the new backup has its name by then.
        for when in 1..if call == "fsync" { 3 } else { 6 } {
            let setup = setup(&yard.data()).injecting(call, fault, &format!("{when}+"));
            let (ended, printed) = setup.run(&["backup", text(&file), "--force"]);
            if ended.status.success() {
                fs::write(&file, &earlier).unwrap();
                break;
            }
            // The sentence itself cannot be printed where every write fails.
            if call != "write" {
                failed((ended, printed), if call == "rename" { 77 } else { 74 }, says);
            }
            leaves_nothing(&yard, &earlier);
            failures += 1;
        }
    }
    assert!(failures > 8, "the faults hardly came: {failures}");
}

#[test]
fn a_small_disk_is_not_filled_at_all() {
    let yard = Yard::new();
    yard.lived_in(40);
    let Some(disk) = SmallDisk::of(64) else { return };
    fs::create_dir(disk.data()).unwrap();
    let file = disk.data().join("b.tar");
    failed(run(&yard.data(), &["backup", text(&file)]), 74, "needs");
    assert_eq!(names(&disk.data()), [""; 0]);
    // And the way back.
    let backup = yard.backup("b.tar");
    failed(run(&disk.data().join("new"), &["restore", text(&backup)]), 74, "needs");
    assert_eq!(names(&disk.data()), [""; 0]);
}

/// A server that stopped because its disk is full: what it has can be brought elsewhere, although
/// SQLite has no room even for what it puts there to read.
#[test]
fn what_is_on_a_full_disk_can_be_backed_up_elsewhere() {
    let Some(disk) = SmallDisk::of(6 * 1024) else { return };
    let server = setup(&disk.data()).start();
    let mut ann = Talker::arrive(server.address, "Ann").unwrap();
    ann.talk(20, 4);
    ann.cut();
    server.stop();
    disk.fill(0);
    let yard = Yard::new();
    let file = yard.at("b.tar");
    done(run(&disk.data(), &["backup", text(&file)]));
    failed(run(&disk.data(), &["backup", text(&disk.data().join("b.tar"))]), 74, "needs");
    done(run(&yard.data(), &["restore", text(&file)]));
    let server = setup(&yard.data()).start();
    has(&story(&server, &ann).1, &acked(&ann));
    server.stop();
}

/// Killed anywhere while it replaces an earlier one: the file of that name is the one or the other.
#[test]
fn killed_at_any_step_there_is_a_whole_backup_under_its_name() {
    let yard = Yard::new();
    yard.lived_in(10);
    let file = yard.backup("old.tar");
    let earlier = fs::read(&file).unwrap();
    let mut killed = 0;
    for call in ["rename", "fsync", "unlink", "unlinkat", "write", "pwrite64"] {
        for when in 1..8 {
            let fault = setup(&yard.data()).injecting(call, "signal=KILL", &when.to_string());
            let (ended, _) = fault.run(&["backup", text(&file), "--force"]);
            let other = yard.at(&format!("{call}-{when}"));
            done(run(&other, &["restore", text(&file)]));
            fs::remove_dir_all(&other).unwrap();
            if ended.status.success() {
                break;
            }
            killed += 1;
        }
        // What a kill left does not stay, and is in nobody's way.
        done(run(&yard.data(), &["backup", text(&file), "--force"]));
        assert_eq!(yard.names(), ["data", "old.tar"]);
        fs::write(&file, &earlier).unwrap();
    }
    assert!(killed > 12, "the faults hardly came: {killed}");
}

#[test]
fn ended_in_the_middle_it_leaves_nothing_and_killed_nothing_that_stays() {
    let yard = Yard::new();
    yard.lived_in(40);
    let file = yard.backup("old.tar");
    let earlier = fs::read(&file).unwrap();
    let new = yard.at("new.tar");
    for signal in [Signal::TERM, Signal::INT] {
        assert_eq!(end(slow_backup(&yard, &new), signal), Some(75));
        leaves_nothing(&yard, &earlier);
    }
    let child = slow_backup(&yard, &new);
    failed(run(&yard.data(), &["backup", text(&new)]), 75, "another backup");
    end(child, Signal::KILL);
    assert!(yard.names().contains(&"new.tar.part".to_owned()), "{:?}", yard.names());
    done(run(&yard.data(), &["backup", text(&new)]));
    assert_eq!(yard.names(), ["data", "new.tar", "old.tar"]);
}

#[test]
fn a_damaged_database_makes_no_backup() {
    let yard = Yard::new();
    let ann = yard.lived_in(40);
    let database = yard.data().join("parlor.sqlite");
    let mut bytes = fs::read(&database).unwrap();
    let (_, said) = acked(&ann).pop().unwrap();
    let at = bytes.windows(said.len()).position(|it| it == said.as_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(&database, bytes).unwrap();
    failed(run(&yard.data(), &["backup", text(&yard.at("b.tar"))]), 65, "damaged");
    assert_eq!(yard.names(), ["data"]);
}

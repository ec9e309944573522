//! The real server, killed at its N-th write, for every N of a short run; and disks that fail or
//! are full. Each time it starts again, what is unknown is sent again, and the history checker
//! looks at everything.
//!
//! `PARLOR_LONG=1` (`.ci/long`) makes the run a longer one, with as many more places to be killed at.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use parlor_shared::{LOBBY_ID, Refusal, Reply, RoomId, Seq};

use crate::checker::Outcome;
use crate::client::say;
use crate::harness::{self, PATIENCE, Setup, TestServer, copy_folder, is_long_run};
use crate::load::{Talker, settle};

/// Calls by which something gets onto the disk.
const CALLS: &[&str] = &["pwrite64", "fdatasync", "fsync", "write", "ftruncate"];
pub(crate) fn setup(data: &Path) -> Setup {
    // A small log, so that moving it into the database is part of a short run.
    Setup::on(data).unhurried()
}

/// A folder in which two guests, a room and some messages exist already.
pub(crate) fn lived_in(data: &Path) -> Vec<Talker> {
    let server = setup(data).start();
    let mut talkers = talkers(&server);
    talkers[0].client().create("garden").expect("made");
    for talker in &mut talkers {
        talker.talk(3, 1);
    }
    server.stop();
    for talker in &mut talkers {
        talker.cut();
    }
    talkers
}

fn talkers(server: &TestServer) -> Vec<Talker> {
    ["Ann", "Bob"].map(|it| Talker::arrive(server.address, it).expect("a welcome")).into()
}

/// A short conversation; ends early when the server does.
pub(crate) fn converse(server: &TestServer, talkers: &mut [Talker]) {
    for talker in &mut *talkers {
        if !talker.come_back(server.address) {
            return;
        }
    }
    for _ in 0..if is_long_run() { 25 } else { 3 } {
        for talker in &mut *talkers {
            talker.talk(2, 3);
        }
    }
    // Coming and going is written too.
    let mut ends = || -> Option<()> {
        let client = talkers[1].client();
        let id = client.send(say(LOBBY_ID, "exit-1", "[EXIT]"));
        client.answer(id).ok()?.ok()?;
        talkers[0].talk(2, 1);
        Some(())
    };
    ends();
}

/// How often one thread of the server makes each call in such a run.
fn counted(data: &Path, talkers: &mut [Talker]) -> BTreeMap<&'static str, usize> {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().to_str().expect("UTF-8").to_owned();
    let trace = format!("trace={}", CALLS.join(","));
    let strace = ["strace", "-D", "-f", "-qq", "-o", &path, "-e", &trace];
    let server = setup(data).behind(&strace).start();
    converse(&server, talkers);
    server.stop();
    let text = std::fs::read_to_string(&path).expect("the trace");
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        if let Some(call) = CALLS.iter().find(|it| rest.trim_start().starts_with(&format!("{it}(")))
        {
            *counts.entry((call, thread)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((call, _), count) in counts {
        let call = CALLS.iter().find(|it| **it == call).expect("one of them");
        let most = most.entry(*call).or_default();
        *most = count.max(*most);
    }
    most
}

/// Talkers as they were, on a server that never was: only what they know of themselves.
pub(crate) fn again(of: &[Talker]) -> Vec<Talker> {
    of.iter().map(Talker::fresh_copy).collect()
}

#[test]
fn killed_at_any_write_it_loses_nothing_acknowledged_and_doubles_nothing() {
    let began = Instant::now();
    let home = tempfile::tempdir().expect("a folder");
    let lived = home.path().join("lived");
    let before = lived_in(&lived);
    let dry = home.path().join("dry");
    copy_folder(&lived, &dry);
    let counts = counted(&dry, &mut again(&before));
    println!("calls of the busiest thread: {counts:?}");
    assert!(counts["pwrite64"] > 10 && counts["fdatasync"] > 5, "{counts:?}");
    let (mut runs, mut killed, mut acked) = (0, 0, 0);
    for (call, count) in counts {
        // Beyond the count: a fault that never comes must leave everything right, too.
        for when in 1..=count + 1 {
            let data = home.path().join(format!("{call}-{when}"));
            copy_folder(&lived, &data);
            let mut talkers = again(&before);
            let faulty = setup(&data).injecting(call, "signal=KILL", &when.to_string()).try_start();
            let mut came = true;
            if let Ok(mut server) = faulty {
                converse(&server, &mut talkers);
                talkers.iter_mut().for_each(Talker::cut);
                acked += talkers.iter().map(Talker::acked).sum::<usize>();
                // What the last writes of a good end are for is part of the run.
                if !server.has_ended() {
                    server.signal(Signal::TERM);
                }
                came = !server.wait(PATIENCE).expect("it ends").success();
            }
            killed += usize::from(came);
            let server = setup(&data).start();
            settle(&server, talkers);
            server.stop();
            std::fs::remove_dir_all(&data).expect("removed");
            runs += 1;
        }
    }
    println!("{runs} runs, {killed} killed, {acked} acknowledged before: {:?}", began.elapsed());
    assert!(killed > runs / 2, "{killed} of {runs}: the faults hardly came");
    assert!(acked > 0, "nothing was acknowledged before any kill");
}

/// Killed while it makes its folder, it makes it at the next start.
#[test]
fn killed_at_any_write_of_its_very_first_start_it_starts_the_next_time() {
    let steps: Vec<usize> =
        if is_long_run() { (1..=80).collect() } else { (1..=40).step_by(5).collect() };
    let mut killed = 0;
    for call in ["pwrite64", "fdatasync", "write"] {
        for when in &steps {
            let data = tempfile::tempdir().expect("a folder");
            let faulty = setup(data.path()).injecting(call, "signal=KILL", &when.to_string());
            match faulty.try_start() {
                Ok(server) => {
                    server.kill();
                    break;
                }
                Err(_) => killed += 1,
            }
            let server = setup(data.path()).start();
            let talkers = talkers(&server);
            settle(&server, talkers);
            server.stop();
        }
    }
    assert!(killed >= 3, "the faults hardly came: {killed}");
}

/// The disk says no at a commit: nothing more is acknowledged, the process ends with 74 within a
/// second, and at the next start nothing is missing.
#[test]
fn a_failing_disk_ends_the_process_and_nothing_acknowledged_is_missing() {
    let home = tempfile::tempdir().expect("a folder");
    let lived = home.path().join("lived");
    let before = lived_in(&lived);
    let every = if is_long_run() { 1 } else { 4 };
    let mut failed = 0;
    for call in ["fdatasync", "pwrite64"] {
        for when in (1..).step_by(every) {
            let data = home.path().join(format!("{call}-{when}"));
            copy_folder(&lived, &data);
            let mut talkers = again(&before);
            let faulty = setup(&data).injecting(call, "error=EIO", &format!("{when}+"));
            let mut came = true;
            match faulty.try_start() {
                Ok(mut server) => {
                    converse(&server, &mut talkers);
                    talkers.iter_mut().for_each(Talker::cut);
                    let tries = talkers.iter().flat_map(|it| &it.tries);
                    let has_unknown = tries.clone().any(|it| it.outcome == Outcome::Unknown);
                    // It may have ended before anybody asked for anything.
                    let patience = if has_unknown { 1_000 } else { 100 };
                    let ended = server.wait(Duration::from_millis(patience));
                    assert!(ended.is_some() || !has_unknown, "it ends at once");
                    came = ended.is_some();
                    match ended {
                        Some(status) => {
                            assert_eq!(status.code(), Some(74), "{call} {when}: {}", server.said());
                        }
                        None => server.kill(),
                    }
                }
                Err(ended) => assert_eq!(ended.status.code(), Some(74), "{}", ended.said),
            }
            let server = setup(&data).start();
            settle(&server, talkers);
            server.stop();
            if !came {
                break;
            }
            failed += 1;
        }
    }
    println!("{failed} failing disks");
    assert!(failed >= 4, "the faults hardly came");
}

/// One failed commit, after which the disk would work again: the process must not believe it.
#[test]
fn a_disk_that_failed_once_is_not_trusted_again() {
    let home = tempfile::tempdir().expect("a folder");
    let mut talkers = again(&lived_in(home.path()));
    let mut server =
        setup(home.path()).injecting("fdatasync", "error=EIO", "6").try_start().expect("it starts");
    converse(&server, &mut talkers);
    talkers.iter_mut().for_each(Talker::cut);
    let status = server.wait(Duration::from_secs(1)).expect("it ends at once");
    assert_eq!(status.code(), Some(74), "{}", server.said());
    let unknown = talkers.iter().flat_map(|it| &it.tries);
    let unknown = unknown.filter(|it| it.outcome == Outcome::Unknown).count();
    assert!(unknown > 0, "the failed commit was answered");
    drop(server);
    let server = setup(home.path()).start();
    settle(&server, talkers);
    server.stop();
}

/// A small disk of its own for a data folder; gone with this value.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn of(kib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("UTF-8");
        let size = format!("size={kib}k");
        if let Err(why) = harness::try_run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", path]) {
            harness::may_be_skipped(&format!("no small disk can be mounted: {why}"));
            return None;
        }
        Some(Self(folder))
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn filler(&self) -> std::path::PathBuf {
        self.0.path().join("filler")
    }

    /// Takes what is left but `spare` bytes.
    pub(crate) fn fill(&self, spare: usize) {
        let left = rustix::fs::statvfs(self.0.path()).expect("a file system");
        let left = (left.f_bavail * left.f_bsize) as usize;
        std::fs::write(self.filler(), vec![0; left.saturating_sub(spare)]).expect("filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        harness::try_run("umount", &["-l", self.0.path().to_str().expect("UTF-8")]).ok();
    }
}

/// A full disk refuses what is said, and nothing else: reading goes on, and when there is room
/// again it works again by itself.
#[test]
fn a_full_disk_refuses_and_recovers() {
    let Some(disk) = SmallDisk::of(6 * 1024) else { return };
    let server = setup(&disk.data()).start();
    let mut talkers = talkers(&server);
    talkers[0].talk(5, 1);
    disk.fill(128 * 1024);
    let full = harness::wait_for(PATIENCE, || {
        talkers[0].talk(20, 1);
        talkers[0].tries.iter().any(|it| it.outcome == Outcome::Rejected).then_some(())
    });
    assert!(full.is_some(), "the disk never got full");
    // Everything but saving goes on, also for somebody who comes now.
    let token = talkers[1].token();
    talkers[1].cut();
    let client = talkers[0].client();
    let (events, _) = client.page(LOBBY_ID, parlor_shared::PageAt::Latest, Some(5)).expect("read");
    assert_eq!(events.len(), 5);
    assert_eq!(client.ping(), Ok(Reply::Pong {}));
    assert!(client.members(LOBBY_ID).is_ok() && client.rooms().is_ok());
    let full = |it| matches!(it, Err(Refusal::StorageFull));
    assert!(full(client.create("attic").map(drop)), "a room was made on a full disk");
    assert!(full(server.client().hello("Cleo").map(drop)), "a guest was made on a full disk");
    // Who is known may come in, read, and go.
    let mut bob = server.client();
    bob.resume(token).expect("a welcome from a full disk");
    assert!(bob.after(LOBBY_ID, Seq(0)).len() > 5);
    assert_eq!(bob.ask(say(LOBBY_ID, "x-1", "[EXIT]")), Ok(Reply::Goodbye {}));
    assert!(bob.is_closed_within(PATIENCE));
    std::fs::remove_file(disk.filler()).expect("room again");
    let began = Instant::now();
    let recovered = harness::wait_for(Duration::from_secs(5), || {
        talkers[0].say(LOBBY_ID);
        talkers[0].hear_one(PATIENCE);
        talkers[0].talk(1, 1);
        matches!(talkers[0].tries.last()?.outcome, Outcome::Ok(_)).then_some(())
    });
    assert!(recovered.is_some(), "no recovery within 5 s");
    println!("recovered after {:?}", began.elapsed());
    assert!(server.client().resume(token).is_ok());
    settle(&server, talkers);
    server.stop();
    // And what was stored is sound.
    let (ended, said) = setup(&disk.data()).run(&["check"]);
    assert!(ended.status.success(), "{said}{}", ended.said);
}

/// The same when the disk fills up for good: after a restart with room all that was acknowledged
/// is there, and what was refused is not.
#[test]
fn what_a_full_disk_refused_is_not_there_later() {
    let Some(disk) = SmallDisk::of(6 * 1024) else { return };
    let server = setup(&disk.data()).start();
    let mut talkers = talkers(&server);
    disk.fill(64 * 1024);
    for _ in 0..4 {
        talkers.iter_mut().for_each(|it| it.talk(40, 8));
    }
    let refused = talkers.iter().flat_map(|it| &it.tries);
    assert!(refused.filter(|it| it.outcome == Outcome::Rejected).count() > 0, "never full");
    server.kill();
    talkers.iter_mut().for_each(Talker::cut);
    std::fs::remove_file(disk.filler()).expect("room again");
    let server = setup(&disk.data()).start();
    let seen = settle(&server, talkers);
    assert!(seen.rooms[&RoomId(1)].len() > 2 && seen.rooms[&LOBBY_ID][0].seq == Seq(1));
    server.stop();
}

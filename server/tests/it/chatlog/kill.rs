//! The process is killed at any of its calls to the kernel, and the next start puts it right.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use parlor_server::chatlog::Chatlog;
use parlor_shared::{Limits, RoomId};

use super::{DAY, DEADLINE, House, NOVEMBER};
use crate::harness;

/// Where the victim finds its store.
const PLACE: &str = "PARLOR_TEST_PLACE";

/// Small, so that there are many steps, and months that go.
pub(super) fn limits(limits: &mut Limits) {
    limits.chatlog_bytes_per_second = 700;
    limits.chatlog_user_bytes = 1_500;
}

/// The victim, in a process of its own.
#[test]
#[ignore = "run by the test below, to be killed"]
fn follows_until_it_is_killed() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let mut small = Limits::default();
    limits(&mut small);
    let (chatlog, thread) = Chatlog::start(&place.join("logs"), &place, &Arc::new(small)).unwrap();
    chatlog.stop(Instant::now() + DEADLINE);
    thread.join().unwrap();
}

/// True when it was killed, false when there was no such call any more.
pub(super) fn follow_and_die(house: &House, call: &str, when: u32) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={when}");
    let victim = "chatlog::kill::follows_until_it_is_killed";
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", victim])
        .env(PLACE, house.place.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    // strace ends as its victim did.
    assert!(status.success() || status.signal() == Some(9), "{call} {when}: {status}");
    !status.success()
}

/// The logs and what is known of them, as they were.
pub(super) fn copy(from: &Path, to: &Path) {
    if to.join("logs").exists() {
        fs::remove_dir_all(to.join("logs")).unwrap();
    }
    for name in ["chatlog.sqlite-wal", "chatlog.sqlite-shm"] {
        fs::remove_file(to.join(name)).ok();
    }
    fs::copy(from.join("chatlog.sqlite"), to.join("chatlog.sqlite")).unwrap();
    for user in fs::read_dir(from.join("logs")).unwrap() {
        let user = user.unwrap();
        if user.file_name() == ".epoch" {
            continue;
        }
        let folder = to.join("logs").join(user.file_name());
        fs::create_dir_all(&folder).unwrap();
        for file in fs::read_dir(user.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_call_loses_and_doubles_nothing() {
    if let Err(why) = harness::try_run("strace", &["-V"]) {
        assert!(harness::may_be_skipped(&why));
        return;
    }
    let mut house = House::limited(limits);
    let lobby = RoomId(1);
    let users = ["Ann", "Bea", "Cid"].map(|it| house.user(it));
    users.iter().for_each(|user| house.join(lobby, *user, NOVEMBER));
    house.say(lobby, users[0], NOVEMBER, "before");
    house.follow();
    let before = tempfile::tempdir().unwrap();
    copy(house.place.path(), before.path());
    let dan = house.user("Dan");
    let den = house.room(users[1], "den", NOVEMBER);
    for day in 0..40 {
        let by = users[day as usize % 3];
        if house.oracle.is_member(lobby, by) {
            house.say(lobby, by, NOVEMBER + day * DAY, "some words");
        }
        match day {
            5 => house.join(den, users[2], NOVEMBER + day * DAY),
            7 => house.join(den, dan, NOVEMBER + day * DAY),
            9 => house.leave(lobby, users[0], NOVEMBER + day * DAY),
            30 => house.leave(den, users[2], NOVEMBER + day * DAY),
            _ => {}
        }
    }
    // Lines, what is known of them (and the log of that), files that are cut, removed, made.
    let mut kills = std::collections::BTreeMap::new();
    for call in ["writev", "pwrite64", "ftruncate", "unlinkat", "openat", "mkdirat"] {
        // The first calls of openat are the program's own start.
        let stride = if call == "openat" { 7 } else { 1 };
        for when in (1..).step_by(stride) {
            copy(before.path(), house.place.path());
            if !follow_and_die(&house, call, when) {
                break;
            }
            *kills.entry(call).or_insert(0) += 1;
            let figures = house.follow();
            assert_eq!((figures.lag(), figures.behind), (0, 0), "killed at {call} {when}");
            house.assert_right();
        }
    }
    println!("kills: {kills:?}");
    assert!(kills.len() == 6 && kills.values().sum::<u32>() > 40, "{kills:?}");
}

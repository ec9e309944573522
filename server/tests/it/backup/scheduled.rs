//! The server's own backups.

use std::fs;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crossbeam_channel::bounded;
use parlor_server::backup::{Backup, BackupFigures, Plan};
use parlor_server::folder::Folder;
use parlor_shared::{Limits, Policy};

use super::{Yard, acked, done, has, names, run, setup, story, text};
use crate::harness::{self, PATIENCE};

/// The whole backups in a data folder.
fn backups(yard: &Yard) -> Vec<String> {
    let folder = yard.data().join("backups");
    let whole = |it: &String| it.starts_with("parlor-") && it.ends_with(".tar");
    if folder.exists() { names(&folder).into_iter().filter(whole).collect() } else { Vec::new() }
}

fn wait_for(figures: impl Fn() -> BackupFigures, is: impl Fn(&BackupFigures) -> bool) {
    let seen = harness::wait_for(PATIENCE, || is(&figures()).then_some(()));
    assert!(seen.is_some(), "{:?}", figures());
}

#[test]
fn a_server_makes_one_when_it_is_due_and_none_after_a_restart() {
    let yard = Yard::new();
    let ann = yard.lived_in(5);
    let at_once = || setup(&yard.data()).limit("backup_delay_millis", 1);
    let server = at_once().limit("disk_free_bytes", 1).start();
    harness::wait_for(PATIENCE, || (!backups(&yard).is_empty()).then_some(())).expect("one");
    server.stop();
    // Started again it has nothing to do; what it did is counted after it has ended.
    let server = at_once().limit("disk_free_bytes", 1).start();
    let (epoch, _) = story(&server, &ann);
    server.stop();
    let made = backups(&yard);
    assert_eq!(made.len(), 1, "{made:?}");
    let file = yard.data().join("backups").join(&made[0]);
    done(run(&yard.at("new"), &["restore", text(&file)]));
    let server = setup(&yard.at("new")).start();
    let (restored, events) = story(&server, &ann);
    assert_ne!(restored, epoch);
    has(&events, &acked(&ann));
    server.stop();
}

#[test]
fn a_server_that_stops_ends_its_backup_and_leaves_nothing() {
    let yard = Yard::new();
    yard.lived_in(40);
    let slow = || {
        setup(&yard.data())
            .limit("backup_delay_millis", 1)
            .limit("disk_free_bytes", 1)
            .limit("backup_bytes_per_second", 2_000)
    };
    let folder = yard.data().join("backups");
    let is_under_way = || {
        let is_part = |it: &String| it.ends_with(".part");
        (folder.exists() && names(&folder).iter().any(is_part)).then_some(())
    };
    let server = slow().start();
    harness::wait_for(PATIENCE, is_under_way).expect("it began");
    server.stop();
    assert_eq!(names(&folder), [""; 0]);
    // A kill leaves something, until the next start.
    let server = slow().start();
    harness::wait_for(PATIENCE, is_under_way).expect("it began");
    server.kill();
    assert_eq!(names(&folder).len(), 2, "{:?}", names(&folder));
    let server = setup(&yard.data()).start();
    let tidy = harness::wait_for(PATIENCE, || names(&folder).is_empty().then_some(()));
    assert!(tidy.is_some(), "{:?}", names(&folder));
    server.stop();
}

#[test]
fn a_plan_that_changes_takes_effect_and_only_old_backups_of_its_own_go() {
    let yard = Yard::new();
    yard.lived_in(5);
    let folder = yard.data().join("backups");
    fs::create_dir(&folder).unwrap();
    let (older, old, strange) =
        ("parlor-20010101-000000.tar", "parlor-20200101-000000.tar", "parlor-mine.tar");
    for name in [older, old, strange] {
        fs::write(folder.join(name), name).unwrap();
    }
    // A name that is ours, and something else than a file.
    fs::create_dir(folder.join("parlor-20020202-000000.tar")).unwrap();
    let limits =
        Arc::new(Limits { backup_delay_millis: 1, disk_free_bytes: 1, ..Limits::default() });
    let plan = Arc::new(RwLock::new(Plan { hours: 0, keep: 2 }));
    let _lock = Folder::take(&yard.data()).unwrap();
    let (backup, thread) = Backup::start(&yard.data(), Arc::clone(&plan), &limits).unwrap();
    wait_for(|| backup.figures(), |it| it.made_at.is_some());
    assert_eq!(backup.figures().next_due, None);
    // Long overdue, and not planned: none comes until the plan says so.
    plan.write().unwrap().hours = 24;
    wait_for(|| backup.figures(), |it| it.made_bytes > 1_000);
    let first = backups(&yard);
    assert_eq!(first.len(), 4, "{first:?}");
    assert!(folder.join(strange).exists() && folder.join(old).exists());
    assert!(!folder.join(older).exists(), "the oldest went");
    wait_for(|| backup.figures(), |it| it.next_due > it.made_at);
    // At once, twice in one second, for who asks.
    let ask = || {
        let (answer, answered) = bounded(1);
        assert!(backup.now(answer));
        answered.recv_timeout(PATIENCE).unwrap().unwrap()
    };
    let (one, two) = (ask(), ask());
    assert_ne!(one.file, two.file);
    assert!(one.file.exists() && two.file.exists() && !folder.join(old).exists());
    assert_eq!(backups(&yard).len(), 4, "{:?}", backups(&yard));
    backup.stop();
    thread.join().unwrap();
    let (answer, _answered) = bounded(1);
    assert!(!backup.now(answer), "nobody is there to do it");
}

#[test]
fn without_room_nothing_is_written_and_the_admin_can_see_why() {
    let yard = Yard::new();
    yard.lived_in(5);
    let limits =
        Limits { backup_delay_millis: 1, disk_free_bytes: u64::MAX / 2, ..Limits::default() };
    let plan = Arc::new(RwLock::new(Plan::of(Policy::default())));
    let _lock = Folder::take(&yard.data()).unwrap();
    let (backup, thread) = Backup::start(&yard.data(), plan, &Arc::new(limits)).unwrap();
    wait_for(|| backup.figures(), |it| it.last_error.is_some());
    let figures = backup.figures();
    assert!(figures.last_error.as_ref().is_some_and(|it| it.contains("needs")), "{figures:?}");
    assert_eq!(figures.made_at, None);
    assert_eq!(names(&yard.data().join("backups")), [""; 0]);
    // It is tried again, and not at once.
    wait_for(|| backup.figures(), |it| it.next_due.is_some_and(|it| it.0 > 0));
    let (answer, answered) = bounded(1);
    assert!(backup.now(answer));
    let said = answered.recv_timeout(Duration::from_secs(20)).unwrap().unwrap_err();
    assert!(said.contains("nothing was written"), "{said}");
    backup.stop();
    thread.join().unwrap();
}

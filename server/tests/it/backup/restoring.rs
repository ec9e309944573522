//! What comes back, what is kept, and where a kill leaves the two.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Yard, acked, done, failed, has, names, run, setup, story, text};
use crate::harness::{self, Setup, snapshot};
use crate::kill::SmallDisk;
use crate::load::Talker;

/// Of everybody's chat logs, what has been said in them.
fn logged(folder: &Path) -> String {
    let mut all: Vec<String> = snapshot(folder)
        .into_iter()
        .filter(|it| it.0.extension().is_some_and(|it| it == "log"))
        .map(|it| String::from_utf8(it.1).unwrap())
        .collect();
    all.sort();
    all.concat()
}

/// The one folder that was put aside.
fn aside(yard: &Yard) -> std::path::PathBuf {
    let names = yard.names();
    let mut found = names.iter().filter(|it| it.starts_with("data.before-restore-"));
    let name = found.next().unwrap_or_else(|| panic!("nothing was put aside: {names:?}"));
    assert_eq!(found.next(), None, "{names:?}");
    yard.at(name)
}

#[test]
fn what_was_there_is_kept_aside_and_files_come_back() {
    let yard = Yard::new();
    let mut ann = yard.lived_in(5);
    let key = fs::read(yard.data().join("key.pem")).unwrap();
    fs::create_dir_all(yard.data().join("files/ab")).unwrap();
    fs::write(yard.data().join("files/ab/picture"), [7; 100_000]).unwrap();
    fs::write(yard.data().join("files/empty"), "").unwrap();
    let file = yard.backup("b.tar");
    let before = acked(&ann);
    // The next start makes another one.
    fs::remove_file(yard.data().join("key.pem")).unwrap();
    fs::create_dir(yard.data().join("backups")).unwrap();
    fs::write(yard.data().join("backups/parlor-20260101-000000.tar"), "a later backup").unwrap();
    let server = setup(&yard.data()).start();
    assert!(ann.come_back(server.address));
    ann.talk(7, 1);
    ann.cut();
    failed(run(&yard.data(), &["restore", text(&file)]), 73, "is used by another");
    let (old_epoch, _) = story(&server, &ann);
    server.stop();
    let there = snapshot(&yard.data());

    let printed = done(run(&yard.data(), &["restore", text(&file)]));
    let aside = aside(&yard);
    assert!(printed.contains(text(&aside)), "{printed}");
    // Everything is there as it was, but for the backups, which stay with the server.
    let kept = snapshot(&aside);
    let contents = |all: Vec<(std::path::PathBuf, Vec<u8>)>, home: &Path| -> Vec<_> {
        let of = |it: &std::path::PathBuf| it.strip_prefix(home).unwrap().to_owned();
        all.iter()
            .map(|it| (of(&it.0), it.1.clone()))
            .filter(|it| !it.0.starts_with("backups"))
            .filter(|it| !it.0.to_string_lossy().contains("sqlite-"))
            .collect()
    };
    assert!(contents(kept, &aside) == contents(there, &yard.data()), "the old data changed");
    assert_eq!(names(&yard.data().join("backups")), ["parlor-20260101-000000.tar"]);
    assert!(fs::read(yard.data().join("key.pem")).unwrap() == key, "another key");
    assert_eq!(fs::read(yard.data().join("files/ab/picture")).unwrap(), [7; 100_000]);
    assert_eq!(fs::read(yard.data().join("files/empty")).unwrap(), b"");
    let mode =
        |name: &str| fs::metadata(yard.data().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("key.pem"), mode("parlor.sqlite")), (0o700, 0o600, 0o600));
    let server = setup(&yard.data()).start();
    let (epoch, events) = story(&server, &ann);
    has(&events, &before);
    assert_eq!(events.len(), before.len() + 1);
    assert_ne!(epoch, old_epoch);
    server.stop();

    // Again: another history again, and both earlier ones are kept.
    done(run(&yard.data(), &["restore", text(&file)]));
    let server = setup(&yard.data()).start();
    assert_ne!(story(&server, &ann).0, epoch);
    server.stop();
    let kept = yard.names().iter().filter(|it| it.starts_with("data.before-restore-")).count();
    assert_eq!(kept, 2);
}

#[test]
fn a_backup_from_before_there_was_a_key_leaves_the_server_its_key() {
    let yard = Yard::new();
    yard.lived_in(1);
    fs::remove_file(yard.data().join("key.pem")).unwrap();
    let file = yard.backup("b.tar");
    fs::write(yard.data().join("key.pem"), "the key").unwrap();
    let printed = done(run(&yard.data(), &["restore", text(&file)]));
    assert!(printed.contains("keeps the one"), "{printed}");
    assert_eq!(fs::read(yard.data().join("key.pem")).unwrap(), b"the key");
}

#[test]
fn places_that_cannot_be_put_aside_are_left_alone() {
    let yard = Yard::new();
    yard.lived_in(1);
    let file = yard.backup("b.tar");
    // Somebody's own folder.
    let home = yard.at("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("diary"), "precious").unwrap();
    failed(run(&home, &["restore", text(&file)]), 73, "not a data folder");
    assert_eq!(names(&home), ["diary"]);
    failed(run(&yard.data(), &["restore", text(&yard.at("none.tar"))]), 66, "there is no");
    failed(run(&yard.data(), &["restore", text(&home)]), 73, "is a folder");
    // An empty one is as good as none.
    let empty = yard.at("empty");
    fs::create_dir(&empty).unwrap();
    done(run(&empty, &["restore", text(&file)]));
    assert!(empty.join("parlor.sqlite").exists());
    // A disk of its own.
    let Some(disk) = SmallDisk::of(4 * 1024) else { return };
    let place = disk.data().parent().unwrap().to_owned();
    setup(&place).start().stop();
    let there = snapshot(&place);
    failed(run(&place, &["restore", text(&file)]), 73, "mount point");
    assert!(snapshot(&place) == there, "something was changed");
    done(run(&place.join("parlor"), &["restore", text(&file)]));
}

/// Through a link, the folder that it leads to is put aside, and the link stays.
#[test]
fn a_link_to_the_data_folder_stays_one() {
    let yard = Yard::new();
    let ann = yard.lived_in(2);
    let file = yard.backup("b.tar");
    let link = yard.at("link");
    std::os::unix::fs::symlink("data", &link).unwrap();
    done(run(&link, &["restore", text(&file)]));
    assert!(link.is_symlink() && aside(&yard).join("parlor.sqlite").exists());
    let server = setup(&link).start();
    has(&story(&server, &ann).1, &acked(&ann));
    server.stop();
}

/// The next start after a kill: the old story or the new one; or it says what to do, and then
/// doing it works.
#[test]
fn killed_at_any_step_either_the_old_or_the_new_data_is_there() {
    let (mut refused, mut old, mut new) = (0, 0, 0);
    let calls: &[(&str, std::ops::Range<usize>)] = &[
        ("rename", 1..5),
        ("fsync", 1..12),
        ("mkdir", 1..3),
        ("unlink", 1..4),
        ("fdatasync", 1..6),
    ];
    for (call, range) in calls {
        for when in range.clone() {
            let yard = Yard::new();
            let mut ann = yard.lived_in(3);
            let file = yard.backup("b.tar");
            let server = setup(&yard.data()).start();
            assert!(ann.come_back(server.address));
            ann.talk(4, 1);
            ann.cut();
            server.stop();
            let fault = setup(&yard.data()).injecting(call, "signal=KILL", &when.to_string());
            let (ended, _) = fault.run(&["restore", text(&file)]);
            if ended.status.success() {
                assert!(when > 1, "{call} is never called");
                break;
            }
            let seen = match setup(&yard.data()).try_start() {
                Ok(server) => {
                    let events = story(&server, &ann).1.len();
                    server.stop();
                    events
                }
                Err(ended) => {
                    refused += 1;
                    assert_eq!(ended.status.code(), Some(73), "{}", ended.said);
                    assert!(ended.said.contains("cut short"), "{}", ended.said);
                    assert!(ended.said.contains(text(&aside(&yard))), "{}", ended.said);
                    assert!(!yard.data().exists(), "it began an empty chat");
                    done(run(&yard.data(), &["restore", text(&file)]));
                    let server = setup(&yard.data()).start();
                    let events = story(&server, &ann).1.len();
                    server.stop();
                    events
                }
            };
            match seen {
                4 => new += 1,
                8 => {
                    old += 1;
                    // The rest that was left does not stay.
                    done(run(&yard.data(), &["restore", text(&file)]));
                }
                _ => panic!("{seen} events: neither the old nor the new"),
            }
            assert!(!yard.at("data.restoring").exists(), "{:?}", yard.names());
            // What was there before is there still.
            let kept = Setup::on(aside(&yard)).start();
            assert_eq!(story(&kept, &ann).1.len(), 8);
            kept.stop();
        }
    }
    println!("{refused} refused to start, {old} had the old data, {new} the new");
    assert!(refused >= 1 && old >= 5 && new >= 2, "{refused} {old} {new}");
}

#[test]
fn a_rename_that_fails_leaves_everything_in_its_place() {
    for when in ["1", "2"] {
        let yard = Yard::new();
        let ann = yard.lived_in(3);
        let file = yard.backup("b.tar");
        let fault = setup(&yard.data()).injecting("rename", "error=EXDEV", when);
        failed(fault.run(&["restore", text(&file)]), 74, "cannot be renamed");
        assert_eq!(yard.names(), ["b.tar", "data"]);
        let server = setup(&yard.data()).start();
        has(&story(&server, &ann).1, &acked(&ann));
        server.stop();
    }
}

/// Chat logs outside the data folder tell another history after a restore; what they told before
/// is put aside.
#[test]
fn chat_logs_elsewhere_begin_anew_and_the_old_ones_are_kept() {
    let yard = Yard::new();
    let logs = yard.at("logs");
    let with_logs = || setup(&yard.data()).with("--chatlogs", text(&logs));
    let server = with_logs().start();
    let mut ann = Talker::arrive(server.address, "Ann").unwrap();
    ann.talk(3, 1);
    ann.cut();
    let file = yard.backup("b.tar");
    assert!(ann.come_back(server.address));
    ann.talk(3, 1);
    ann.cut();
    let mut bob = Talker::arrive(server.address, "Bob").unwrap();
    bob.talk(1, 1);
    bob.cut();
    server.stop();
    let before = logged(&logs);
    assert!(before.contains("ann says number 6") && before.contains("bob says number 1"));
    done(run(&yard.data(), &["restore", text(&file)]));
    // The same names and numbers for somebody else, and another word at a known place.
    let server = with_logs().start();
    let mut eve = Talker::arrive(server.address, "Bob").unwrap();
    eve.talk(2, 1);
    eve.cut();
    server.stop();
    let folders = names(&logs);
    let aside = folders.iter().find(|it| it.starts_with("before-restore-")).unwrap();
    assert_eq!(logged(&logs.join(aside)), before);
    let mine = fs::read_to_string(log_of(&logs.join("1-Ann"))).unwrap();
    assert!(mine.contains("ann says number 3") && !mine.contains("ann says number 4"), "{mine}");
    assert!(mine.contains("bob says number 2"), "{mine}");
    assert_eq!(names(&logs), [".epoch", "1-Ann", "2-Bob", aside]);
    // Nothing more is put aside by the next start.
    with_logs().start().stop();
    assert_eq!(names(&logs), [".epoch", "1-Ann", "2-Bob", aside]);
}

fn log_of(folder: &Path) -> std::path::PathBuf {
    harness::wait_for(harness::PATIENCE, || {
        fs::read_dir(folder).ok()?.filter_map(|it| it.ok().map(|it| it.path())).next()
    })
    .expect("a log")
}

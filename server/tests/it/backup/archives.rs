//! Tars that are not what they should be: damaged on the way, or made by somebody with a plan.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parlor_server::backup::{Abort, BackupError, restore};
use parlor_shared::Epoch;
use proptest::strategy::{Strategy as _, ValueTree as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::{Yard, done, failed, run, setup, story, text};
use crate::harness::snapshot;

/// An entry with any header.
struct Entry {
    name: Vec<u8>,
    kind: EntryType,
    link: &'static str,
    bytes: Vec<u8>,
    /// What the header says, where that is another number.
    claims: Option<u64>,
}

fn entry(name: &str, bytes: &[u8]) -> Entry {
    let bytes = bytes.to_vec();
    Entry { name: name.into(), kind: EntryType::Regular, link: "", bytes, claims: None }
}

fn special(name: &str, kind: EntryType, link: &'static str) -> Entry {
    Entry { kind, link, ..entry(name, b"") }
}

fn write(path: &Path, entries: &[Entry]) {
    let mut tar = tar::Builder::new(File::create(path).unwrap());
    for it in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..it.name.len()].copy_from_slice(&it.name);
        header.as_old_mut().linkname[..it.link.len()].copy_from_slice(it.link.as_bytes());
        header.set_entry_type(it.kind);
        header.set_size(it.claims.unwrap_or(it.bytes.len() as u64));
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, it.bytes.as_slice()).unwrap();
    }
    tar.finish().unwrap();
}

fn member(name: &str, bytes: &[u8]) -> Value {
    let sha256: String = Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect();
    json!({ "name": name, "bytes": bytes.len(), "sha256": sha256 })
}

fn manifest(members: &[Value]) -> Value {
    json!({
        "format": 1, "parlor": "0.1.0", "schema": 1, "epoch": Epoch([1; 8]).to_hex(),
        "made_at": 1, "members": members,
    })
}

/// As a backup of another Parlor would be: any names and bytes, and a manifest that fits.
fn fitting(path: &Path, members: &[(&str, &[u8])]) {
    let said: Vec<Value> = members.iter().map(|(name, bytes)| member(name, bytes)).collect();
    let mut manifest = manifest(&said);
    // Where SQLite keeps the number that we count schemas with, in a file that is one of its own.
    let schema = members.first().and_then(|(_, it)| it.get(60..64));
    if let Some(schema) = schema.and_then(|it| it.try_into().ok()).map(u32::from_be_bytes) {
        manifest["schema"] = schema.into();
    }
    let json = manifest.to_string();
    let mut entries: Vec<Entry> = members.iter().map(|(name, it)| entry(name, it)).collect();
    entries.push(entry("manifest.json", json.as_bytes()));
    write(path, &entries);
}

/// Each is refused as no backup or a damaged one, and the whole yard is as it was.
fn refused(yard: &Yard, what: &str, file: &Path) {
    let before = snapshot(yard.home.path());
    let folders = yard.names();
    match restore(file, &yard.data(), &Abort::default()) {
        Err(error) => assert_eq!(error.exit_code(), 65, "{what}: {error}"),
        Ok(_) => panic!("{what} was restored"),
    }
    assert_eq!(yard.names(), folders, "{what}");
    assert!(snapshot(yard.home.path()) == before, "{what} left something");
}

#[test]
fn a_hostile_tar_writes_nowhere() {
    let yard = Yard::new();
    yard.lived_in(2);
    let db = fs::read(yard.data().join("parlor.sqlite")).unwrap();
    let file = yard.at("hostile.tar");
    let outside = text(&yard.at("outside")).to_owned();
    for name in [
        "../outside",
        &outside,
        "files/../../outside",
        "files/../outside",
        "./files/x",
        "files",
        "files/",
        "/files/x",
        "files//x",
        "lock",
        "parlor.sqlite-wal",
        "chatlog.sqlite",
        "logs/x.log",
        "cert.pem",
        "key.pem/x",
        "parlor.sqlite/x",
        "files/.hidden",
        "",
        "files\\x",
    ] {
        fitting(&file, &[("parlor.sqlite", &db), (name, b"evil")]);
        refused(&yard, name, &file);
        fitting(&file, &[(name, b"evil"), ("parlor.sqlite", &db)]);
        refused(&yard, name, &file);
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::GNUSparse,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::Continuous,
    ] {
        let said = manifest(&[member("parlor.sqlite", &db), member("files/x", b"")]).to_string();
        write(
            &file,
            &[
                entry("parlor.sqlite", &db),
                special("files/x", kind, "/etc/passwd"),
                entry("manifest.json", said.as_bytes()),
            ],
        );
        refused(&yard, &format!("{kind:?}"), &file);
    }
    assert!(!yard.at("outside").exists());
}

#[test]
fn a_tar_that_is_not_a_whole_backup_is_refused() {
    let yard = Yard::new();
    yard.lived_in(2);
    let db = fs::read(yard.data().join("parlor.sqlite")).unwrap();
    let file = yard.at("wrong.tar");
    let (said, key) = (member("parlor.sqlite", &db), member("key.pem", b"k"));
    let whole = manifest(std::slice::from_ref(&said));
    let with = |field: &str, value: Value| {
        let mut changed = whole.clone();
        changed[field] = value;
        changed.to_string()
    };
    let database = || entry("parlor.sqlite", &db);
    let last = |json: &str| entry("manifest.json", json.as_bytes());
    let mut wrong_hash = said.clone();
    wrong_hash["sha256"] = json!("0".repeat(64));
    let mut wrong_size = said.clone();
    wrong_size["bytes"] = json!(1);
    for (what, entries) in [
        ("nothing", vec![]),
        ("no manifest", vec![database()]),
        ("no database", vec![last(&manifest(&[]).to_string())]),
        (
            "only a key",
            vec![entry("key.pem", b"k"), last(&manifest(std::slice::from_ref(&key)).to_string())],
        ),
        ("manifest first", vec![last(&whole.to_string()), database()]),
        ("twice", vec![database(), database(), last(&whole.to_string())]),
        ("one too many", vec![database(), entry("key.pem", b"k"), last(&whole.to_string())]),
        ("one missing", vec![database(), last(&manifest(&[said, key]).to_string())]),
        ("wrong hash", vec![database(), last(&manifest(&[wrong_hash]).to_string())]),
        ("wrong size", vec![database(), last(&manifest(&[wrong_size]).to_string())]),
        ("no JSON", vec![database(), last("[[[[")]),
        ("deep JSON", vec![database(), last(&"[".repeat(100_000))]),
        ("newer format", vec![database(), last(&with("format", json!(2)))]),
        ("newer schema", vec![database(), last(&with("schema", json!(1_000_000)))]),
        ("more fields", vec![database(), last(&with("more", json!(1)))]),
        ("a long claim", vec![Entry { claims: Some(u64::MAX / 2), ..database() }]),
        ("a longer claim", vec![Entry { claims: Some(u64::MAX), ..database() }]),
        ("a giant manifest", vec![database(), Entry { claims: Some(1 << 40), ..last("{}") }]),
    ] {
        write(&file, &entries);
        refused(&yard, what, &file);
    }
    for (what, bytes) in
        [("text", &b"hello\n".repeat(1_000)[..]), ("empty", b""), ("the database", &db)]
    {
        fs::write(&file, bytes).unwrap();
        refused(&yard, what, &file);
    }
}

#[test]
fn a_database_that_is_not_one_of_ours_is_refused() {
    let yard = Yard::new();
    yard.lived_in(2);
    let db = fs::read(yard.data().join("parlor.sqlite")).unwrap();
    let file = yard.at("wrong.tar");
    let changed = |change: &str| {
        let path = yard.at("changed.sqlite");
        fs::write(&path, &db).unwrap();
        let it = rusqlite::Connection::open(&path).unwrap();
        it.execute_batch(change).unwrap();
        it.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
        drop(it);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        bytes
    };
    let empty = Vec::new();
    for (what, bytes) in [
        ("text", b"hello".to_vec()),
        ("another program's", changed("PRAGMA application_id = 7")),
        ("newer than it says", changed("PRAGMA user_version = 1000000")),
        ("a changed word", changed("UPDATE event SET body = 'never said' WHERE body IS NOT NULL")),
        ("a hole", changed("DELETE FROM event WHERE seq = 2")),
        ("without meta", changed("DROP TABLE meta")),
    ] {
        fitting(&file, &[("parlor.sqlite", &bytes)]);
        let before = snapshot(yard.home.path());
        let error = restore(&file, &yard.data(), &Abort::default()).expect_err(what);
        assert!(matches!(error.exit_code(), 65 | 74), "{what}: {error}");
        assert!(snapshot(yard.home.path()) == before, "{what} left something");
    }
    // SQLite takes an empty file for an empty database; so would a server.
    fitting(&file, &[("parlor.sqlite", &empty)]);
    refused(&yard, "an empty database", &file);
}

/// A backup by an earlier Parlor: its tables are brought to today's, with every event.
#[test]
fn an_older_backup_is_restored_and_migrated() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/folders");
    for made in fs::read_dir(folders).unwrap() {
        let made = made.unwrap().path();
        let yard = Yard::new();
        let db = fs::read(made.join("data/parlor.sqlite")).unwrap();
        let file = yard.at("older.tar");
        fitting(&file, &[("parlor.sqlite", &db)]);
        done(run(&yard.data(), &["restore", text(&file)]));
        let server = setup(&yard.data()).start();
        let token = fs::read_to_string(made.join("token.txt")).unwrap();
        let mut client = server.client();
        let welcome = client.resume(token.trim().parse().unwrap()).unwrap();
        let events: usize = welcome.rooms.iter().map(|it| it.last_seq.0 as usize).sum();
        let lines = fs::read_to_string(made.join("events.jsonl")).unwrap().lines().count();
        assert_eq!(events, lines);
        server.stop();
        // And the database as it was can be backed up before the first start of this version.
        let older = yard.at("older");
        fs::create_dir(&older).unwrap();
        fs::write(older.join("parlor.sqlite"), &db).unwrap();
        done(run(&older, &["backup", text(&yard.at("again.tar"))]));
        done(run(&older, &["restore", text(&yard.at("again.tar"))]));
    }
}

/// A backup and its bytes.
fn whole(yard: &Yard) -> (PathBuf, Vec<u8>) {
    yard.lived_in(6);
    fs::write(yard.data().join("key.pem"), "k".repeat(700)).unwrap();
    let file = yard.backup("whole.tar");
    let bytes = fs::read(&file).unwrap();
    (yard.at("changed.tar"), bytes)
}

#[test]
fn a_truncated_backup_is_refused_wherever_it_ends() {
    let yard = Yard::new();
    let (file, bytes) = whole(&yard);
    let mut cuts: Vec<usize> = (0..bytes.len()).step_by(1_499).collect();
    cuts.extend((1..6).map(|it| bytes.len() - it * 512));
    cuts.extend([bytes.len() - 1, bytes.len() - 513]);
    for cut in cuts {
        fs::write(&file, &bytes[..cut]).unwrap();
        refused(&yard, &format!("{cut} of {} bytes", bytes.len()), &file);
    }
    let longer = [&bytes[..], &[0; 512]].concat();
    fs::write(&file, longer).unwrap();
    refused(&yard, "a longer one", &file);
    failed(run(&yard.data(), &["restore", text(&file)]), 65, "nothing was changed");
}

/// A flipped bit is noticed, or it is where nothing is: then what comes back is the same.
#[test]
fn a_flipped_bit_is_noticed_or_changes_nothing() {
    let yard = Yard::new();
    let (file, bytes) = whole(&yard);
    let database = fs::read(yard.data().join("parlor.sqlite")).unwrap();
    let mut seen = [0, 0];
    let flips = proptest::collection::vec((0..bytes.len(), 0..8_usize), 150);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut flips = flips.new_tree(&mut runner).unwrap().current();
    // Headers and manifest are small; each of their bytes has its turn.
    let manifest = bytes.len() - 3 * 1_024;
    flips.extend((0..512).step_by(5).map(|it| (it, it % 8)));
    flips.extend((manifest..bytes.len()).step_by(17).map(|it| (it, it % 8)));
    for (at, bit) in flips {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        fs::write(&file, changed).unwrap();
        let fresh = tempfile::tempdir().unwrap();
        let data = fresh.path().join("data");
        match restore(&file, &data, &Abort::default()) {
            Err(error) => {
                seen[0] += 1;
                assert!(
                    matches!(
                        error,
                        BackupError::Damaged(..)
                            | BackupError::NotABackup(..)
                            | BackupError::Newer { .. }
                    ),
                    "byte {at} bit {bit}: {error}"
                );
                assert_eq!(fs::read_dir(fresh.path()).unwrap().count(), 0, "byte {at} bit {bit}");
            }
            Ok(_) => {
                seen[1] += 1;
                assert_eq!(fs::read(data.join("key.pem")).unwrap(), b"k".repeat(700));
                let back = fs::read(data.join("parlor.sqlite")).unwrap();
                assert_eq!(back.len(), database.len(), "byte {at} bit {bit}");
            }
        }
    }
    println!("{} noticed, {} where nothing is", seen[0], seen[1]);
    assert!(seen[0] > 150, "{seen:?}");
}

/// What came back is what was said, to the last event, for everybody who comes back.
#[test]
fn an_untouched_backup_is_accepted() {
    let yard = Yard::new();
    let ann = yard.lived_in(6);
    let file = yard.backup("whole.tar");
    let data = yard.at("new");
    restore(&file, &data, &Abort::default()).unwrap();
    let server = setup(&data).start();
    super::has(&story(&server, &ann).1, &super::acked(&ann));
    server.stop();
}

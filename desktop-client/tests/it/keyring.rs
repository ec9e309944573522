//! Where tokens are: in the keyring and nowhere else, or in the archive when the keyring does not
//! want them; and never nowhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_desktop::archive::{Archive, Keyring, NoKeyring, PatientKeyring, Shut};
use parlor_desktop::model::{Keep, Opened, Session, SessionId};
use parlor_shared::{Epoch, ResumeToken, UserId};
use rusqlite::Connection;

const TOKEN: ResumeToken = ResumeToken([0xAB; 32]);

/// A keyring in memory, that other hands can lock and look into.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    secrets: BTreeMap<String, Vec<u8>>,
    is_locked: bool,
    calls: usize,
}

impl Fake {
    fn lock(&self, is_locked: bool) {
        self.0.lock().expect("a lock").is_locked = is_locked;
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        self.0.lock().expect("a lock").secrets.values().cloned().collect()
    }

    fn calls(&self) -> usize {
        self.0.lock().expect("a lock").calls
    }

    fn open<T>(&self, ask: impl FnOnce(&mut Inside) -> T) -> Result<T, Shut> {
        let mut inside = self.0.lock().expect("a lock");
        inside.calls += 1;
        if inside.is_locked { Err(Shut) } else { Ok(ask(&mut inside)) }
    }
}

impl Keyring for Fake {
    fn get(&mut self, entry: &str) -> Result<Option<Vec<u8>>, Shut> {
        self.open(|it| it.secrets.get(entry).cloned())
    }

    fn set(&mut self, entry: &str, secret: &[u8]) -> Result<(), Shut> {
        self.open(|it| _ = it.secrets.insert(entry.to_owned(), secret.to_vec()))
    }

    fn delete(&mut self, entry: &str) -> Result<(), Shut> {
        self.open(|it| _ = it.secrets.remove(entry))
    }
}

fn open(folder: &Path, keyring: impl Keyring + 'static) -> (Archive, Opened) {
    Archive::open(folder, Box::new(keyring), Arc::new(|| {})).expect("it opens")
}

fn session(number: u32, token: Option<ResumeToken>) -> Session {
    Session {
        id: SessionId(number),
        address: format!("host{number}").parse().expect("an address"),
        user: UserId(u64::from(number)),
        name: "Ann".parse().expect("a name"),
        token,
        is_locked: false,
        epoch: Epoch([1; 8]),
        signed_in: true,
        hosted: false,
    }
}

/// Has the archive carry these out, and closes it.
fn keep(folder: &Path, keyring: impl Keyring + 'static, orders: Vec<Keep>) {
    let (mut archive, _) = open(folder, keyring);
    for order in orders {
        archive.keep(order);
    }
}

/// Tokens in the database's rows, and how many rows point at the keyring.
fn on_disk(folder: &Path) -> (i64, i64) {
    let database = Connection::open(folder.join("archive.db")).expect("a database");
    let sql = "SELECT count(token), sum(in_keyring) FROM session";
    database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a count")
}

fn tokens(opened: &Opened) -> Vec<Option<ResumeToken>> {
    opened.sessions.iter().map(|it| it.token).collect()
}

#[test]
fn a_token_is_in_the_keyring_and_not_in_the_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Fake::default();
    keep(folder.path(), fake.clone(), vec![Keep::Session(session(1, Some(TOKEN)))]);
    assert_eq!(fake.secrets(), [TOKEN.0.to_vec()]);
    assert_eq!(on_disk(folder.path()), (0, 1));
    let (mut archive, opened) = open(folder.path(), fake.clone());
    assert_eq!(tokens(&opened), [Some(TOKEN)]);
    assert_eq!(opened.current.expect("signed in").session.token, Some(TOKEN));
    // The same token again is no reason to ask the keyring.
    let calls = fake.calls();
    let signed_out = Session { signed_in: false, ..session(1, Some(TOKEN)) };
    archive.keep(Keep::Session(signed_out));
    drop(archive);
    assert_eq!(fake.calls(), calls);
    // A new one takes the old one's place, and a forgotten sign-in leaves nothing behind.
    let other = ResumeToken([0xCD; 32]);
    keep(folder.path(), fake.clone(), vec![Keep::Session(session(1, Some(other)))]);
    assert_eq!((fake.secrets(), on_disk(folder.path())), (vec![other.0.to_vec()], (0, 1)));
    keep(folder.path(), fake.clone(), vec![Keep::ForgetSession(SessionId(1))]);
    assert_eq!(fake.secrets(), Vec::<Vec<u8>>::new());
}

#[test]
fn a_token_that_the_server_does_not_know_any_more_leaves_the_keyring_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Fake::default();
    keep(folder.path(), fake.clone(), vec![Keep::Session(session(1, Some(TOKEN)))]);
    keep(folder.path(), fake.clone(), vec![Keep::Session(session(1, None))]);
    assert_eq!(fake.secrets(), Vec::<Vec<u8>>::new());
    assert_eq!(tokens(&open(folder.path(), fake).1), [None]);
}

#[test]
fn without_a_keyring_the_archive_keeps_it_and_a_keyring_that_comes_takes_it_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let both = vec![Keep::Session(session(1, Some(TOKEN))), Keep::Session(session(2, Some(TOKEN)))];
    keep(folder.path(), NoKeyring, both);
    assert_eq!(on_disk(folder.path()), (2, 0));
    let fake = Fake::default();
    let (archive, opened) = open(folder.path(), fake.clone());
    assert_eq!(tokens(&opened), [Some(TOKEN); 2]);
    drop(archive);
    assert_eq!((fake.secrets().len(), on_disk(folder.path())), (2, (0, 2)));
}

#[test]
fn a_locked_keyring_is_asked_once_and_loses_no_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Fake::default();
    let first = (1..=3).map(|it| Keep::Session(session(it, Some(TOKEN)))).collect();
    keep(folder.path(), fake.clone(), first);
    fake.lock(true);
    let calls = fake.calls();
    let (mut archive, opened) = open(folder.path(), fake.clone());
    assert_eq!(fake.calls(), calls + 1, "it could ask the person each time");
    assert!(opened.sessions.iter().all(|it| it.token.is_none() && it.is_locked));
    // Whatever happens to what is locked, and to new ones, meanwhile.
    archive.keep(Keep::Session(Session { signed_in: false, ..opened.sessions[0].clone() }));
    archive.keep(Keep::Session(session(4, Some(TOKEN))));
    drop(archive);
    assert_eq!(on_disk(folder.path()), (1, 3));
    fake.lock(false);
    let (archive, opened) = open(folder.path(), fake.clone());
    assert_eq!(tokens(&opened), [Some(TOKEN); 4]);
    drop(archive);
    assert_eq!((fake.secrets().len(), on_disk(folder.path())), (4, (0, 4)));
}

#[test]
fn a_secret_that_somebody_removed_is_a_token_that_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    keep(folder.path(), Fake::default(), vec![Keep::Session(session(1, Some(TOKEN)))]);
    let (_archive, opened) = open(folder.path(), Fake::default());
    assert_eq!((opened.sessions[0].token, opened.sessions[0].is_locked), (None, false));
}

/// A keyring that waits for somebody to unlock it.
struct Hanging {
    until: Receiver<()>,
    asked: Sender<()>,
}

impl Hanging {
    fn hang(&self) -> Shut {
        self.asked.try_send(()).unwrap_or_default();
        self.until.recv().unwrap_or_default();
        Shut
    }
}

impl Keyring for Hanging {
    fn get(&mut self, _entry: &str) -> Result<Option<Vec<u8>>, Shut> {
        Err(self.hang())
    }

    fn set(&mut self, _entry: &str, _secret: &[u8]) -> Result<(), Shut> {
        Err(self.hang())
    }

    fn delete(&mut self, _entry: &str) -> Result<(), Shut> {
        Err(self.hang())
    }
}

#[test]
fn a_keyring_that_hangs_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (unlock, until) = bounded::<()>(0);
    let (tell, asked) = bounded(1);
    let hanging = Hanging { until, asked: tell };
    let patience = Duration::from_millis(50);
    let keyring = PatientKeyring::new(hanging, patience).expect("a thread");
    let before = Instant::now();
    keep(folder.path(), keyring, vec![Keep::Session(session(1, Some(TOKEN)))]);
    asked.try_recv().expect("it was asked");
    assert!(before.elapsed() < Duration::from_secs(20));
    assert_eq!(on_disk(folder.path()), (1, 0));
    assert_eq!(tokens(&open(folder.path(), NoKeyring).1), [Some(TOKEN)]);
    drop(unlock);
}

#[test]
fn a_patient_keyring_gives_out_what_was_put_in() {
    let fake = Fake::default();
    let mut keyring = PatientKeyring::new(fake, Duration::from_secs(20)).expect("a thread");
    assert_eq!(keyring.get("one"), Ok(None));
    assert_eq!(keyring.set("one", b"secret"), Ok(()));
    assert_eq!(keyring.get("one"), Ok(Some(b"secret".to_vec())));
    assert_eq!(keyring.delete("one"), Ok(()));
    assert_eq!(keyring.get("one"), Ok(None));
}

/// Run by hand, with a session bus and a keyring of its own; no other test touches a real one:
/// `dbus-run-session -- sh -c "printf x | gnome-keyring-daemon --unlock; cargo test … --ignored"`.
#[test]
#[ignore = "writes into the system's keyring"]
fn the_system_s_own_keyring_keeps_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let system = || PatientKeyring::system().expect("a thread");
    keep(folder.path(), system(), vec![Keep::Session(session(1, Some(TOKEN)))]);
    assert_eq!(on_disk(folder.path()), (0, 1));
    assert_eq!(tokens(&open(folder.path(), system()).1), [Some(TOKEN)]);
    keep(folder.path(), system(), vec![Keep::ForgetSession(SessionId(1))]);
    let mut keyring = system();
    let database = Connection::open(folder.path().join("archive.db")).expect("a database");
    let sql = "SELECT value FROM profile WHERE name = 'device'";
    let device: String = database.query_row(sql, [], |row| row.get(0)).expect("a device");
    assert_eq!(keyring.get(&format!("{device}-1")), Ok(None), "nothing is left behind");
}

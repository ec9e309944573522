//! The real store beside the one in memory: both have to mean the same.

use parlor_server::chat::{Fact as Found, KnownMessage, Question, Record};
use parlor_server::store::Store;
use parlor_shared::{Limits, UnixMillis};
use tempfile::TempDir;

use super::disk::Disk;

pub(super) struct Sqlite {
    store: Store,
    _folder: TempDir,
}

impl Sqlite {
    pub(super) fn new(limits: &Limits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path()).expect("a store");
        store.bound_by(limits);
        Self { store, _folder: folder }
    }

    /// One batch.
    pub(super) fn save(&mut self, records: &[Record]) {
        let mut batch = self.store.begin().expect("a batch");
        for record in records {
            batch.save(record).unwrap_or_else(|error| panic!("{record:?}: {error}"));
        }
        batch.commit().expect("it is saved");
    }

    /// It loads what the records say, and answers what was asked as the disk in memory does.
    pub(super) fn check(&mut self, disk: &Disk, questions: &[Question], at: UnixMillis) {
        let mut loaded = self.store.load().expect("it can be loaded");
        let mut kept = disk.load();
        loaded.epoch = kept.epoch;
        for stored in [&mut loaded, &mut kept] {
            stored.old_names.sort_by_key(|it| (it.0.as_str().to_owned(), it.1));
        }
        assert_eq!(loaded, kept, "SQLite loads something else than the records say");
        let batch = self.store.begin().expect("a batch");
        for question in questions {
            let found = batch.look_up(*question, at).expect("it can be looked up");
            let expected = disk.look_up(*question, at);
            assert_eq!(plain(found), plain(expected), "{question:?}");
        }
    }
}

/// Of what is erased nobody knows any more whether it was announced.
fn plain(found: Found) -> Found {
    match found {
        Found::ClientId { known: Some(known), highest } if known.text.is_none() => {
            let known = KnownMessage { is_announcement: false, ..(*known).clone() };
            Found::ClientId { known: Some(known.into()), highest }
        }
        other => other,
    }
}

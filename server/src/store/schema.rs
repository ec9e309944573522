//! The data folder's database: its tables and its numbered migrations, forward only.

use rusqlite::Connection;

/// Marks the file as Parlor's: "PARL".
pub(super) const APPLICATION_ID: i32 = 0x5041_524c;

/// One step per schema number; step 0 makes an empty file version 1. Finished steps are never
/// edited: a data folder somewhere was made by them.
pub(super) const MIGRATIONS: &[&str] = &[
    // 1: users, rooms, what happened, who was a member from where to where.
    //
    // `event.position` is the order of commits over all rooms: what the followers' cursors count.
    // It names no foreign key: the chat knows its rooms, and SQLite would look the room up again
    // for every message.
    // `event.nth` is the number of messages up to and including this event, so the last event of
    // a room tells both its last seq and its last nth. `event.crc` covers the row's content.
    // `member` holds intervals: a user's memberships never overlap, `left_seq` is NULL while one
    // lasts.
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
     CREATE TABLE user (
       id INTEGER PRIMARY KEY,
       name TEXT NOT NULL,
       token BLOB UNIQUE,
       seen_at INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE room (
       id INTEGER PRIMARY KEY,
       name TEXT NOT NULL,
       made_by INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE event (
       position INTEGER PRIMARY KEY,
       room INTEGER NOT NULL,
       seq INTEGER NOT NULL,
       nth INTEGER NOT NULL,
       at INTEGER NOT NULL,
       by INTEGER NOT NULL,
       name TEXT NOT NULL,
       kind INTEGER NOT NULL,
       body TEXT,
       device TEXT,
       counter INTEGER,
       crc INTEGER NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX event_place ON event (room, seq);
     CREATE UNIQUE INDEX event_client ON event (by, device, counter) WHERE device IS NOT NULL;
     CREATE TABLE member (
       room INTEGER NOT NULL REFERENCES room (id),
       user INTEGER NOT NULL REFERENCES user (id),
       joined_seq INTEGER NOT NULL,
       left_seq INTEGER,
       PRIMARY KEY (room, user, joined_seq)
     ) WITHOUT ROWID, STRICT;
     CREATE INDEX member_user ON member (user, room) WHERE left_seq IS NULL;
     INSERT INTO room (id, name, made_by) VALUES (1, 'lobby', 0);
     INSERT INTO meta (key, value) VALUES ('epoch', randomblob(8));",
    // 2: accounts, sessions, roles, bans, one's own stream, codes, the audit log.
    //
    // A guest's token becomes its first session. `user.gone`: 0 here, 1 a guest that was freed,
    // 2 deleted. `account.skeleton` is what the name looks like, for signing in by name.
    // `member.read_mine` is the place in the own stream at which `read_seq` is told.
    // `erasure` is what is still to be blanked; readers blank it already. `mail` holds a code in
    // clear until it is sent.
    "ALTER TABLE user RENAME TO user_1;
     CREATE TABLE user (
       id INTEGER PRIMARY KEY,
       name TEXT NOT NULL,
       role INTEGER NOT NULL DEFAULT 0,
       seen_at INTEGER NOT NULL,
       gone INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     CREATE TABLE session (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       user INTEGER NOT NULL REFERENCES user (id),
       token BLOB NOT NULL UNIQUE,
       device TEXT,
       address TEXT,
       made_at INTEGER NOT NULL,
       used_at INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX session_user ON session (user);
     INSERT INTO user (id, name, seen_at, gone)
       SELECT id, name, seen_at, token IS NULL FROM user_1;
     INSERT INTO session (user, token, made_at, used_at)
       SELECT id, token, seen_at, seen_at FROM user_1 WHERE token IS NOT NULL ORDER BY id;
     DROP TABLE user_1;
     CREATE TABLE account (
       user INTEGER PRIMARY KEY REFERENCES user (id),
       skeleton TEXT NOT NULL UNIQUE,
       password TEXT NOT NULL,
       credential INTEGER NOT NULL,
       email TEXT,
       is_verified INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     CREATE TABLE old_name (
       skeleton TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       user INTEGER NOT NULL,
       until INTEGER NOT NULL
     ) WITHOUT ROWID, STRICT;
     CREATE TABLE code (
       hash BLOB PRIMARY KEY,
       user INTEGER NOT NULL REFERENCES user (id),
       purpose INTEGER NOT NULL,
       until INTEGER
     ) WITHOUT ROWID, STRICT;
     CREATE INDEX code_user ON code (user, purpose);
     CREATE TABLE invite (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       hash BLOB NOT NULL UNIQUE,
       by TEXT NOT NULL,
       at INTEGER NOT NULL,
       until INTEGER NOT NULL,
       uses_left INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE ban (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       user INTEGER,
       network TEXT,
       room INTEGER,
       until INTEGER,
       reason TEXT,
       at INTEGER NOT NULL,
       by TEXT NOT NULL
     ) STRICT;
     CREATE TABLE mute (
       user INTEGER NOT NULL REFERENCES user (id),
       room INTEGER NOT NULL,
       until INTEGER,
       PRIMARY KEY (user, room)
     ) WITHOUT ROWID, STRICT;
     CREATE TABLE user_event (
       user INTEGER NOT NULL REFERENCES user (id),
       mine INTEGER NOT NULL,
       at INTEGER NOT NULL,
       body TEXT NOT NULL,
       PRIMARY KEY (user, mine)
     ) WITHOUT ROWID, STRICT;
     CREATE TABLE audit (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       at INTEGER NOT NULL,
       by INTEGER NOT NULL,
       name TEXT NOT NULL,
       act TEXT NOT NULL,
       user INTEGER,
       who TEXT,
       room INTEGER,
       says TEXT NOT NULL
     ) STRICT;
     CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
     CREATE TABLE mail (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       user INTEGER NOT NULL REFERENCES user (id),
       email TEXT NOT NULL,
       kind INTEGER NOT NULL,
       name TEXT NOT NULL,
       code TEXT NOT NULL,
       at INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE erasure (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       user INTEGER NOT NULL,
       room INTEGER NOT NULL,
       through INTEGER NOT NULL,
       has_texts INTEGER NOT NULL,
       has_names INTEGER NOT NULL,
       done_position INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     ALTER TABLE room ADD COLUMN has_ended INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE member ADD COLUMN role INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE member ADD COLUMN read_seq INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE member ADD COLUMN read_nth INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE member ADD COLUMN read_mine INTEGER NOT NULL DEFAULT 0;
     UPDATE member SET role = 2 WHERE left_seq IS NULL
       AND user = (SELECT made_by FROM room WHERE id = member.room);",
];

/// The schema that this program writes.
pub const SCHEMA: i64 = MIGRATIONS.len() as i64;

/// Brings the file from schema `from` to [`SCHEMA`], all steps in one transaction.
///
/// Foreign keys are not enforced meanwhile, which lets a step replace a table that others refer
/// to; they are checked at the end.
pub(super) fn migrate(db: &mut Connection, from: i64) -> rusqlite::Result<()> {
    db.pragma_update(None, "foreign_keys", false)?;
    // Otherwise a renamed table would take the references to it along.
    db.pragma_update(None, "legacy_alter_table", true)?;
    let migrated = run_steps(db, from);
    db.pragma_update(None, "legacy_alter_table", false)?;
    db.pragma_update(None, "foreign_keys", true)?;
    migrated
}

fn run_steps(db: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    for step in MIGRATIONS.iter().skip(from as usize) {
        tx.execute_batch(step)?;
    }
    let is_sound = !tx.prepare("PRAGMA foreign_key_check")?.exists([])?;
    assert!(is_sound, "a migration left a reference to nothing");
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", SCHEMA)?;
    tx.commit()
}

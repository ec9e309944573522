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
];

/// The schema that this program writes.
pub const SCHEMA: i64 = MIGRATIONS.len() as i64;

/// Brings the file from schema `from` to [`SCHEMA`], all steps in one transaction.
pub(super) fn migrate(db: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    for step in MIGRATIONS.iter().skip(from as usize) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", SCHEMA)?;
    tx.commit()
}

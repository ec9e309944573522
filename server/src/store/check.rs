//! `parlor-server check`: looks through a data folder without changing it.

use std::collections::BTreeMap;
use std::path::Path;

use parlor_shared::{Fact as Happening, Nth, RoomId, Seq};

use super::{Position, Reader, StoreError, file_in};

/// Events looked at in one step.
const STEP: usize = 1_000;
/// Sentences at most: after these it is clear.
const FOUND_MAX: usize = 100;

/// What was looked at, and what is wrong with it, a sentence each.
#[derive(Debug, Default)]
pub struct Report {
    pub rooms: u64,
    pub users: u64,
    pub events: u64,
    pub found: Vec<String>,
}

/// Checks the pages, every row's checksum, and that every room counts 1, 2, 3 … without holes.
///
/// # Errors
/// When there is no database to look at.
pub fn check(folder: &Path) -> Result<Report, StoreError> {
    check_unless(folder, || false)
}

/// The same, given up when `is_over` says so: then the report says that it was interrupted.
///
/// # Errors
/// When there is no database to look at.
pub fn check_unless(
    folder: &Path,
    is_over: impl FnMut() -> bool + Send + 'static,
) -> Result<Report, StoreError> {
    if !file_in(folder).exists() {
        return Err(StoreError::NotOurs(file_in(folder)));
    }
    let mut reader = Reader::open_to_look(folder)?;
    reader.give_up_when(is_over)?;
    let mut report = Report::default();
    if let Err(error) = reader.check_pages() {
        report.found.push(error.to_string());
    }
    match reader.counts() {
        Ok(counts) => (report.rooms, report.users) = counts,
        Err(error) => report.found.push(error.to_string()),
    }
    let mut last: BTreeMap<RoomId, (Seq, Nth)> = BTreeMap::new();
    let mut position = Position(0);
    while report.found.len() < FOUND_MAX {
        let events = match reader.events_after(position, STEP) {
            Ok(events) => events,
            Err(StoreError::Damaged { position: at }) => {
                report.found.push(StoreError::Damaged { position: at }.to_string());
                position = at;
                continue;
            }
            Err(error) => {
                report.found.push(error.to_string());
                break;
            }
        };
        let Some((newest, _)) = events.last() else { break };
        position = *newest;
        for (at, event) in events {
            report.events += 1;
            let (seq, nth) = last.entry(event.room).or_default();
            if event.seq != seq.next() {
                report.found.push(format!(
                    "room {}: the event after {seq} is {} (position {})",
                    event.room, event.seq, at.0
                ));
            }
            *seq = event.seq;
            if let Happening::Said { nth: said, .. }
            | Happening::Announced { nth: said, .. }
            | Happening::Blank { nth: said, .. } = event.fact
            {
                if said != nth.next() {
                    report.found.push(format!("room {}: message {said} follows {nth}", event.room));
                }
                *nth = said;
            }
        }
    }
    Ok(report)
}

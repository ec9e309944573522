//! The walk along the store: reads what happened, gives each event's line to those who heard it,
//! writes, and remembers how far it got.
//!
//! Files first, then what is known of them: whatever ends the process in between leaves files
//! that are longer than is known, which are cut at the next start. Files that are shorter, or
//! gone, are made again by a second walk from the beginning, for their users only.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parlor_shared::{Limits, RoomEvent, UserId};

use super::audience::Audiences;
use super::erased::Seen;
use super::line::{Month, folder_name, render};
use super::pace::{Pace, Stop};
use super::progress::{Progress, Who};
use super::shelf::{Shelf, Trouble};
use super::{Board, ChatlogError, history};
use crate::platform::PrivateFolder;
use crate::store::copy::replaced;
use crate::store::{Position, Reader, StoreError};

/// Events read at once.
const PAGE: usize = 500;
/// Rendered text in one step, shared by all who get it.
const ARENA_BYTES: usize = 4 * 1024 * 1024;
/// The arena keeps this much between steps: most seconds are quiet.
const ARENA_KEPT_BYTES: usize = 64 * 1024;
/// Users whose months are kept in mind, some 200 bytes each.
const SHELVES_KEPT: usize = 20_000;

/// A walk along the store, and where it is.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) at: Position,
    audiences: Audiences,
}

/// See the module.
pub(super) struct Follower {
    pub(super) root: PrivateFolder,
    pub(super) reader: Reader,
    pub(super) progress: Progress,
    board: Arc<Board>,
    pace: Pace,
    user_bytes: u64,
    step_bytes: u64,
    pub(super) all: Walk,
    /// The second walk, for those in `behind`.
    pub(super) again: Walk,
    pub(super) behind: BTreeSet<UserId>,
    /// Of those behind, the ones that can only be helped by the host; tried again at each start.
    pub(super) blocked: BTreeSet<UserId>,
    /// What was erased is known up to there.
    pub(super) erased: Seen,
    pub(super) shelves: HashMap<UserId, Shelf>,
    /// This step's lines.
    arena: String,
    /// This step's users, some of them twice.
    touched: Vec<UserId>,
    /// What this step writes in all.
    bytes: u64,
}

impl Follower {
    /// Opens what is there; looks at no file yet.
    pub(super) fn open(
        folder: &Path,
        data: &Path,
        limits: &Limits,
        board: Arc<Board>,
    ) -> Result<Self, ChatlogError> {
        let root = PrivateFolder::at(folder)
            .map_err(|error| ChatlogError::Folder(folder.to_owned(), error))?;
        let mut reader = Reader::open(data)?;
        let epoch = reader.epoch()?;
        history::settle(&root, epoch, &replaced(data)?)
            .map_err(|error| ChatlogError::Folder(folder.to_owned(), error))?;
        let mut progress = Progress::open(data, epoch)?;
        if progress.place(Who::All)? > reader.last_position()? {
            log::warn!("the chat logs are of a later time than the store: they are written again");
            progress.change(|it| it.forget_all())?;
        }
        let walk = |at| Walk { at, audiences: Audiences::default() };
        Ok(Self {
            root,
            all: walk(progress.place(Who::All)?),
            again: walk(progress.place(Who::Behind)?),
            behind: progress.behind()?,
            blocked: BTreeSet::new(),
            erased: Seen::new(&progress)?,
            reader,
            progress,
            board,
            pace: Pace::new(limits.chatlog_bytes_per_second),
            user_bytes: limits.chatlog_user_bytes,
            step_bytes: limits.chatlog_bytes_per_second,
            shelves: HashMap::new(),
            arena: String::new(),
            touched: Vec::new(),
            bytes: 0,
        })
    }

    /// Compares all files with what is known of them.
    pub(super) fn check(&mut self, stop: &mut Stop) -> Result<(), ChatlogError> {
        let mut wrong = BTreeSet::new();
        let mut user = UserId(0);
        let folders = self.folders()?;
        while let Some(next) = self.progress.next_user(user)?
            && !stop.is_over()
        {
            user = next;
            let shelf = Self::shelf(user, &mut self.reader, &self.progress)?;
            self.follow_name(shelf.folder(), folders.get(&user));
            match shelf.is_sound(&self.root) {
                Ok(true) => {}
                Ok(false) => _ = wrong.insert(user),
                Err(trouble) => self.note(user, trouble, &mut wrong)?,
            }
        }
        if !wrong.is_empty() {
            log::info!("the chat logs of {} users are written again", wrong.len());
            self.behind.append(&mut wrong);
            self.begin_again()?;
        }
        self.show();
        Ok(())
    }

    /// The logs of those who are behind begin anew, with nothing.
    pub(super) fn begin_again(&mut self) -> Result<(), ChatlogError> {
        self.clear()?;
        let Self { progress, behind, erased, .. } = self;
        progress.change(|it| {
            it.behind(behind, true)?;
            it.place(Who::Behind, Position(0))?;
            erased.remember(it)
        })?;
        self.again = Walk::default();
        self.shelves.retain(|user, _| !self.behind.contains(user) && !self.erased.is_gone(*user));
        Ok(())
    }

    /// Follows the store by one step; false when there is nothing more to do.
    pub(super) fn step(&mut self, stop: &mut Stop) -> Result<bool, ChatlogError> {
        self.look_for_erased()?;
        let who = if self.is_behind() { Who::Behind } else { Who::All };
        let is_at_end = self.gather(who)?;
        if !self.write(who, is_at_end, stop)? {
            return Ok(true);
        }
        self.show();
        Ok(who == Who::Behind || !is_at_end || self.is_behind())
    }

    /// There are logs to be made again.
    fn is_behind(&self) -> bool {
        self.behind.iter().any(|it| !self.blocked.contains(it))
    }

    /// Reads events into the arena and onto the shelves; true when there are no more.
    fn gather(&mut self, who: Who) -> Result<bool, ChatlogError> {
        let upto = match who {
            Who::All => Position(u64::MAX),
            Who::Behind | Who::Erased => self.all.at,
        };
        let mut page = PAGE;
        while self.arena.len() < ARENA_BYTES && self.bytes < self.step_bytes {
            let at = self.walk(who).at;
            let events = match self.reader.events_after(at, page) {
                Ok(events) => events,
                Err(StoreError::Damaged { .. }) if page > 1 => {
                    // Those before the damaged one are fine.
                    page = 1;
                    continue;
                }
                Err(StoreError::Damaged { position }) => {
                    log::error!("chat logs: {}", StoreError::Damaged { position });
                    self.walk(who).at = position;
                    page = PAGE;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if events.is_empty() {
                return Ok(true);
            }
            for (position, event) in events {
                if position > upto {
                    return Ok(true);
                }
                self.hear(who, &event)?;
                self.walk(who).at = position;
                if self.bytes >= self.step_bytes {
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    fn walk(&mut self, who: Who) -> &mut Walk {
        match who {
            Who::All => &mut self.all,
            Who::Behind | Who::Erased => &mut self.again,
        }
    }

    /// Renders an event once, and puts it onto the shelf of each who heard it.
    fn hear(&mut self, who: Who, event: &RoomEvent) -> Result<(), ChatlogError> {
        let walk = match who {
            Who::All => &mut self.all,
            Who::Behind | Who::Erased => &mut self.again,
        };
        let audience = walk.audiences.of(event, &mut self.reader)?;
        let is_meant = |user: &UserId| match who {
            _ if self.erased.is_gone(*user) => false,
            Who::All => !self.behind.contains(user),
            Who::Behind => self.behind.contains(user) && !self.blocked.contains(user),
            Who::Erased => false,
        };
        let mut hearers = audience.members.iter().filter(|it| is_meant(it)).peekable();
        if hearers.peek().is_none() {
            return Ok(());
        }
        let start = self.arena.len();
        render(event, &audience.room, &mut self.arena);
        // The arena ends some lines above its limit, which is far below 4 GiB.
        let line = start as u32..self.arena.len() as u32;
        let month = Month::of(event.at);
        for &user in hearers {
            let shelf = match self.shelves.entry(user) {
                std::collections::hash_map::Entry::Occupied(found) => found.into_mut(),
                std::collections::hash_map::Entry::Vacant(empty) => {
                    empty.insert(Self::shelf(user, &mut self.reader, &self.progress)?)
                }
            };
            if shelf.fresh_bytes() == 0 {
                self.touched.push(user);
            }
            shelf.put(month, &line, self.user_bytes);
            self.bytes += u64::from(line.end - line.start);
        }
        Ok(())
    }

    pub(super) fn shelf(
        user: UserId,
        reader: &mut Reader,
        progress: &Progress,
    ) -> Result<Shelf, ChatlogError> {
        let name = reader.user_name(user)?.unwrap_or_default();
        Ok(Shelf::new(folder_name(user, &name), progress.volumes(user)?))
    }

    /// Writes the step's files, then remembers it. False when there was no time left: then
    /// nothing is remembered, and the next start goes on from the step before.
    fn write(&mut self, who: Who, is_at_end: bool, stop: &mut Stop) -> Result<bool, ChatlogError> {
        self.touched.sort_unstable();
        self.touched.dedup();
        let mut wrong = BTreeSet::new();
        for user in std::mem::take(&mut self.touched) {
            let Some(shelf) = self.shelves.get(&user) else { continue };
            let bytes = shelf.fresh_bytes();
            if !self.pace.wait(bytes, stop) {
                return Ok(false);
            }
            match shelf.write(&self.root, self.arena.as_bytes()) {
                Ok(()) => {
                    self.board.bytes_written.fetch_add(bytes, Ordering::Relaxed);
                    self.touched.push(user);
                }
                Err(trouble) => {
                    log::warn!("the chat log of user {user} was changed and is written again");
                    self.note(user, trouble, &mut wrong)?;
                }
            }
        }
        let begin_again = !wrong.is_empty();
        if begin_again {
            self.clear_of(&wrong.clone(), &mut wrong)?;
        }
        let has_caught_up = who == Who::Behind && is_at_end && !begin_again;
        if has_caught_up {
            self.behind.retain(|it| self.blocked.contains(it));
        }
        self.behind.append(&mut wrong);
        if begin_again || has_caught_up {
            self.again = Walk::default();
        }
        self.progress.change(|it| {
            for user in &self.touched {
                let changes = self.shelves.get(user).into_iter().flat_map(Shelf::changes);
                for (month, bytes) in changes {
                    it.volume(*user, month, bytes)?;
                }
            }
            it.place(Who::All, self.all.at)?;
            it.place(Who::Behind, self.again.at)?;
            self.erased.remember(it)?;
            if begin_again || has_caught_up { it.behind(&self.behind, true) } else { Ok(()) }
        })?;
        self.settle(begin_again);
        Ok(true)
    }

    /// What was written is remembered, on disk and now here.
    fn settle(&mut self, begin_again: bool) {
        for user in self.touched.drain(..) {
            if let Some(shelf) = self.shelves.get_mut(&user) {
                shelf.settle();
            }
        }
        if begin_again {
            self.shelves.retain(|user, _| !self.behind.contains(user));
        }
        if self.shelves.len() > SHELVES_KEPT {
            self.shelves.clear();
        }
        self.arena.clear();
        self.arena.shrink_to(ARENA_KEPT_BYTES);
        self.bytes = 0;
    }

    /// One user's trouble stops nobody else's log; the disk's does.
    pub(super) fn note(
        &mut self,
        user: UserId,
        trouble: Trouble,
        wrong: &mut BTreeSet<UserId>,
    ) -> Result<(), ChatlogError> {
        match trouble {
            Trouble::Broken => {}
            Trouble::Blocked(error) => {
                log::error!(
                    "the chat log of user {user} cannot be written until something is put right \
                     in its folder and the server is started again: {error}"
                );
                self.blocked.insert(user);
            }
            Trouble::Disk(error) => return Err(ChatlogError::Write(error)),
        }
        wrong.insert(user);
        Ok(())
    }

    /// For the figures.
    fn show(&mut self) {
        let newest = self.reader.last_position().unwrap_or(self.all.at);
        self.board.newest.store(newest.0, Ordering::Relaxed);
        self.board.position.store(self.all.at.0, Ordering::Relaxed);
        self.board.behind.store(self.behind.len() as u64, Ordering::Relaxed);
    }
}

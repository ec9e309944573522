//! What was erased goes from the logs, too.
//!
//! The follower looks ahead of itself for what was erased: whoever heard such a message, or such
//! a name, gets a log made again out of the store, which shows nothing of it any more. The old
//! files go first, at once; making the new ones may take a while. Of a user who went for good the
//! log goes for good.
//!
//! Files go before it is remembered that they went: whatever ends the process in between, the
//! next start finds files missing, or finds the same erasing again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use parlor_shared::UserId;

use super::ChatlogError;
use super::follower::Follower;
use super::line::{Month, folder_name, folder_owner};
use super::progress::{Change, Progress, Who};
use super::shelf::Trouble;
use crate::store::Position;

/// What is known of what was erased.
#[derive(Debug)]
pub(super) struct Seen {
    /// Erasing messages is an event; it was looked for up to there.
    at: Position,
    /// Who went for good.
    gone: BTreeSet<UserId>,
    /// Of those, whose going is not remembered on disk yet.
    fresh: Vec<UserId>,
    /// Going for good is none. This number says whether somebody could have since the last look.
    decided: Option<u64>,
}

impl Seen {
    pub(super) fn new(progress: &Progress) -> rusqlite::Result<Self> {
        let (at, gone) = (progress.place(Who::Erased)?, progress.gone()?);
        Ok(Self { at, gone, fresh: Vec::new(), decided: None })
    }

    pub(super) fn is_gone(&self, user: UserId) -> bool {
        self.gone.contains(&user)
    }

    pub(super) fn remember(&self, change: &Change<'_>) -> rusqlite::Result<()> {
        self.fresh.iter().try_for_each(|user| change.gone(*user))?;
        change.place(Who::Erased, self.at)
    }
}

/// Folders of the logs by their users; one who was renamed may have two.
type Folders = BTreeMap<UserId, Vec<String>>;

impl Follower {
    /// Finds what was erased since the last look, and whose logs have it.
    pub(super) fn look_for_erased(&mut self) -> Result<(), ChatlogError> {
        let (erased, at) = self.reader.erased_after(self.erased.at)?;
        let decided = self.reader.erasures_decided()?;
        let mut gone = Vec::new();
        if self.erased.decided != Some(decided) {
            gone = self.reader.deleted_users()?;
            gone.retain(|it| !self.erased.gone.contains(it));
        }
        let mut whose = BTreeSet::new();
        for (room, through) in erased {
            let members = self.reader.memberships(room)?.into_iter();
            whose.extend(members.filter(|it| it.1 <= through).map(|it| it.0));
        }
        for user in &gone {
            for room in self.reader.rooms_naming(*user)? {
                whose.extend(self.reader.memberships(room)?.into_iter().map(|it| it.0));
            }
        }
        self.erased.gone.extend(gone.iter().copied());
        (self.erased.at, self.erased.decided) = (at, Some(decided));
        whose.retain(|it| !self.erased.gone.contains(it));
        self.behind.retain(|it| !self.erased.gone.contains(it));
        // Where nothing is written yet, nothing of it can be.
        if self.all.at == Position(0) {
            whose.clear();
        }
        if !whose.is_empty() || !gone.is_empty() {
            log::info!("the chat logs of {} users are written again", whose.len());
            self.remove_logs(&gone)?;
            self.behind.append(&mut whose);
            self.erased.fresh = gone;
            self.begin_again()?;
            self.erased.fresh.clear();
        }
        Ok(())
    }

    /// All folders, by whose they are.
    pub(super) fn folders(&self) -> Result<Folders, ChatlogError> {
        let mut folders = Folders::new();
        for name in self.root.names().map_err(ChatlogError::Write)? {
            if let Some(user) = folder_owner(&name) {
                folders.entry(user).or_default().push(name);
            }
        }
        Ok(folders)
    }

    /// Gives the one folder that a user has the name that it should have.
    pub(super) fn follow_name(&self, wanted: &str, found: Option<&Vec<String>>) {
        if let Some([other]) = found.map(Vec::as_slice)
            && other != wanted
            && let Err(error) = self.root.rename(other, wanted)
        {
            // It is made again then.
            log::warn!("the chat log {other} cannot be called {wanted}: {error}");
        }
    }

    /// Removes what is there of the logs that are to be made again.
    pub(super) fn clear(&mut self) -> Result<(), ChatlogError> {
        let behind: BTreeSet<UserId> = self.behind.difference(&self.blocked).copied().collect();
        let mut wrong = BTreeSet::new();
        self.clear_of(&behind, &mut wrong)
    }

    /// The same of those. Whoever's cannot be removed is in trouble.
    pub(super) fn clear_of(
        &mut self,
        users: &BTreeSet<UserId>,
        wrong: &mut BTreeSet<UserId>,
    ) -> Result<(), ChatlogError> {
        if users.is_empty() {
            return Ok(());
        }
        let folders = self.folders()?;
        for user in
            users.iter().filter(|it| !self.blocked.contains(it)).copied().collect::<Vec<_>>()
        {
            let name = self.reader.user_name(user)?.unwrap_or_default();
            let wanted = folder_name(user, &name);
            for folder in folders.get(&user).into_iter().flatten() {
                if let Err(error) = self.remove_months(folder, *folder != wanted) {
                    self.note(user, Trouble::from(error), wrong)?;
                }
            }
        }
        Ok(())
    }

    /// Removes the logs of those who went for good.
    fn remove_logs(&self, gone: &[UserId]) -> Result<(), ChatlogError> {
        let folders = self.folders()?;
        for folder in gone.iter().filter_map(|it| folders.get(it)).flatten() {
            match self.remove_months(folder, true).map_err(Trouble::from) {
                Ok(()) => {}
                Err(Trouble::Disk(error)) => return Err(ChatlogError::Write(error)),
                Err(trouble) => log::error!("the chat log {folder} stays: {trouble:?}"),
            }
        }
        Ok(())
    }

    fn remove_months(&self, folder: &str, with_folder: bool) -> io::Result<()> {
        let inside = self.root.folder(folder)?;
        for name in inside.names()?.iter().filter(|it| Month::is_file_name(it)) {
            inside.remove(name)?;
        }
        if !with_folder {
            return Ok(());
        }
        match self.root.remove_folder(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                log::warn!("the folder {folder} of the chat logs stays: something else is in it");
                Ok(())
            }
            other => other,
        }
    }
}

//! What people are called now, which need not be what they were called when they said something.
//!
//! An event carries its author's name of that moment. With a page the server tells the names of
//! those who have another one today; whoever else is in it has the one that stands there. A live
//! event tells its author's name of now. All of it ends up here, and the view asks here first.
//!
//! Invariant: whoever is not in here is called what the events say.

use std::collections::{BTreeMap, BTreeSet};

use parlor_shared::reply::PersonName;
use parlor_shared::{Fact, RoomEvent, UserId, UserName};

use super::Model;
use super::effect::{Keep, Turn};
use super::limits::NAMES_MAX;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    now: BTreeMap<UserId, UserName>,
    /// Whose new name was heard live on this connection: a page that was read a moment earlier
    /// knows less.
    heard: BTreeSet<UserId>,
}

impl Names {
    /// Today's name of somebody who was called `then`.
    #[must_use]
    pub fn of<'a>(&'a self, user: UserId, then: &'a UserName) -> &'a UserName {
        self.now.get(&user).unwrap_or(then)
    }

    /// What the archive had.
    pub(super) fn restored(kept: Vec<PersonName>) -> Self {
        let now = kept.into_iter().map(|it| (it.user, it.name)).collect();
        Self { now, heard: BTreeSet::new() }
    }

    pub(super) fn lose_connection(&mut self) {
        self.heard.clear();
    }

    /// Somebody took another name just now. True: it was news.
    pub(super) fn hear_renamed(&mut self, user: UserId, name: &UserName) -> bool {
        self.heard.insert(user);
        self.set(user, name)
    }

    /// A live event calls its author by this name. True: it was news.
    pub(super) fn hear(&mut self, user: UserId, name: &UserName) -> bool {
        self.set(user, name)
    }

    /// A list of members does so. Whoever never said or did anything needs no place here.
    pub(super) fn hear_listed(&mut self, user: UserId, name: &UserName) {
        if self.now.contains_key(&user) {
            self.set(user, name);
        }
    }

    /// What the server says with a page. True: it was news.
    pub(super) fn hear_told(&mut self, told: &PersonName) -> bool {
        !self.heard.contains(&told.user) && self.set(told.user, &told.name)
    }

    /// An author in a page who is not among those that the server says something about, and who
    /// is therefore called the same today. True: it was news.
    pub(super) fn hear_author(&mut self, user: UserId, name: &UserName) -> bool {
        !self.heard.contains(&user) && self.set(user, name)
    }

    fn set(&mut self, user: UserId, name: &UserName) -> bool {
        if self.now.get(&user) == Some(name) {
            return false;
        }
        if self.now.len() >= NAMES_MAX && !self.now.contains_key(&user) {
            return false;
        }
        self.now.insert(user, name.clone());
        true
    }
}

impl Model {
    /// A live event: its author is called that now.
    pub(super) fn hear_name(&mut self, event: &RoomEvent, turn: &mut Turn) {
        let (user, name) = (event.by, &event.name);
        let is_news = match event.fact {
            Fact::Renamed { .. } => self.names.hear_renamed(user, name),
            Fact::Opened { .. }
            | Fact::Joined {}
            | Fact::Left {}
            | Fact::Said { .. }
            | Fact::Blank { .. }
            | Fact::Announced { .. }
            | Fact::Kicked { .. }
            | Fact::Banned { .. }
            | Fact::Muted { .. }
            | Fact::Unmuted { .. }
            | Fact::RoleGiven { .. }
            | Fact::Erased { .. }
            | Fact::Ended { .. }
            | Fact::Unknown => self.names.hear(user, name),
        };
        if is_news {
            let name = PersonName { user, name: name.clone() };
            self.keep_names(vec![name], turn);
        }
    }

    /// The authors of a page, and what the server says some of them are called today.
    pub(super) fn hear_names(
        &mut self,
        events: &[RoomEvent],
        told: &[PersonName],
        turn: &mut Turn,
    ) {
        let mut news: Vec<PersonName> =
            told.iter().filter(|it| self.names.hear_told(it)).cloned().collect();
        for event in events {
            let is_told = told.iter().any(|it| it.user == event.by);
            if !is_told && self.names.hear_author(event.by, &event.name) {
                news.push(PersonName { user: event.by, name: event.name.clone() });
            }
        }
        self.keep_names(news, turn);
    }

    fn keep_names(&self, names: Vec<PersonName>, turn: &mut Turn) {
        if let Some(session) = self.session
            && !names.is_empty()
        {
            turn.keep(Keep::Names { session, names });
        }
    }
}

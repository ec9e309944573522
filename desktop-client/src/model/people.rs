//! Who is in a room and who of them is here: a list asked for in pages, kept right by events.
//!
//! The list is as of some event; what was heard after that one is applied again on top of it, so
//! it does not matter in which order pages and events arrive.

use std::collections::BTreeMap;

use parlor_shared::request::Members;
use parlor_shared::{
    Fact, MemberEntry, Request, RoomEvent, RoomId, RoomRole, Seq, UserId, UserName,
};

use super::asked::Asked;
use super::effect::Turn;
use super::limits::{MEMBERS_MAX, READS_IN_FLIGHT};
use super::{Member, Model, Room, What};

/// How well a room's members are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum People {
    /// Not asked on this connection; the list may be stale.
    #[default]
    Unknown,
    Loading(Box<Loading>),
    /// Right, together with every event after this one.
    Known {
        as_of: Seq,
    },
}

/// Pages that have come so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Loading {
    members: BTreeMap<UserId, Member>,
    /// The oldest place that any of the pages is as of.
    as_of: Option<Seq>,
    after: Option<UserId>,
    is_asked: bool,
    /// Who came or went meanwhile; the latest word counts.
    here: BTreeMap<UserId, bool>,
}

impl Room {
    /// An event was appended: somebody may have come or gone for good.
    pub(super) fn meet(&mut self, event: &RoomEvent) {
        let People::Known { as_of } = self.people else { return };
        if event.seq <= as_of {
            return;
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "what is left is looked at one by one")]
        match &event.fact {
            Fact::Opened { .. } => self.admit(event.by, &event.name, RoomRole::Owner),
            Fact::Joined {} => self.admit(event.by, &event.name, RoomRole::Member),
            Fact::Left {} => _ = self.members.remove(&event.by),
            other => self.act_on_member(event.by, &event.name, other),
        }
    }

    /// What somebody did to somebody, as far as the list shows it.
    fn act_on_member(&mut self, by: UserId, name: &UserName, fact: &Fact) {
        match fact {
            Fact::Kicked { user, .. } | Fact::Banned { user, .. } => {
                self.members.remove(user);
            }
            Fact::Renamed { .. } => {
                if let Some(member) = self.members.get_mut(&by) {
                    member.name = name.clone();
                }
            }
            Fact::RoleGiven { user, role, .. } => {
                if let Some(member) = self.members.get_mut(user) {
                    member.role = *role;
                }
            }
            Fact::Muted { user, .. } | Fact::Unmuted { user, .. } => {
                if let Some(member) = self.members.get_mut(user) {
                    member.muted = matches!(fact, Fact::Muted { .. });
                }
            }
            Fact::Opened { .. }
            | Fact::Joined {}
            | Fact::Left {}
            | Fact::Said { .. }
            | Fact::Blank { .. }
            | Fact::Announced { .. }
            | Fact::Erased { .. }
            | Fact::Ended { .. }
            | Fact::Unknown => {}
        }
    }

    fn admit(&mut self, user: UserId, name: &UserName, role: RoomRole) {
        if self.members.len() < MEMBERS_MAX {
            self.members
                .insert(user, Member { name: name.clone(), here: true, role, muted: false });
        } else {
            self.members_cut = true;
        }
    }

    /// Somebody's last connection ended, or the first one began.
    pub(super) fn notice(&mut self, user: UserId, here: bool) {
        if let Some(member) = self.members.get_mut(&user) {
            member.here = here;
        }
        if let People::Loading(loading) = &mut self.people
            && loading.here.len() < MEMBERS_MAX
        {
            loading.here.insert(user, here);
        }
    }

    /// All pages are there: they become the list, and what was heard since is applied to it.
    fn know(&mut self, loading: Loading, is_cut: bool) {
        let as_of = loading.as_of.unwrap_or_default();
        let since = as_of.next();
        if !self.timeline.is_empty() && self.timeline.first_seq() > since {
            // Not everything since is loaded; the list has to be asked for again.
            self.people = People::Unknown;
            return;
        }
        self.members = loading.members;
        self.members_cut = is_cut;
        let from = self.timeline.index_of(since).unwrap_or(self.timeline.len());
        for index in from..self.timeline.len() {
            let Some(row) = self.timeline.get(index) else { break };
            let (user, name) = (row.by, UserName::clone(&row.name));
            match &row.what {
                What::Opened(_) => self.admit(user, &name, RoomRole::Owner),
                What::Joined => self.admit(user, &name, RoomRole::Member),
                What::Left => _ = self.members.remove(&user),
                What::Act(fact) => {
                    let fact = Fact::clone(fact);
                    self.act_on_member(user, &name, &fact);
                }
                What::Said(_) | What::Announced(_) | What::Blank | What::Unknown => {}
            }
        }
        for (user, here) in loading.here {
            if let Some(member) = self.members.get_mut(&user) {
                member.here = here;
            }
        }
        self.people = People::Known { as_of };
    }
}

impl Model {
    /// Asks for the members of the rooms in which they are shown.
    pub(super) fn ask_for_members(&mut self, turn: &mut Turn) {
        // Whoever serves the chat is asked before closing it, so knows who is in the lobby.
        let lobby = self.hosting.as_ref().map(|_| parlor_shared::LOBBY_ID);
        for id in self.selected.into_iter().chain(lobby) {
            if self.asked.reads() >= READS_IN_FLIGHT {
                return;
            }
            let Some(room) = self.rooms.get_mut(&id).filter(|it| it.is_member) else { continue };
            // The list has to be as of a place that the timeline reaches back to.
            if room.timeline.is_empty() {
                continue;
            }
            if room.people == People::Unknown {
                room.people = People::Loading(Box::default());
            }
            let People::Loading(loading) = &mut room.people else { continue };
            if !loading.is_asked {
                loading.is_asked = true;
                let request = Request::Members(Members { room: id, after: loading.after });
                self.asked.ask(request, Asked::Members { room: id }, turn);
            }
        }
    }

    /// A page of members.
    pub(super) fn hear_members(
        &mut self,
        id: RoomId,
        as_of: Seq,
        entries: Vec<MemberEntry>,
        more: bool,
    ) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let People::Loading(loading) = &mut room.people else { return };
        loading.is_asked = false;
        loading.as_of = Some(loading.as_of.map_or(as_of, |it| it.min(as_of)));
        // A page that says that there is more, and has nothing, would be asked for for ever.
        let is_last = !more || entries.is_empty();
        for MemberEntry { user, name, here, role, muted } in entries {
            self.names.hear_listed(user, &name);
            loading.after = loading.after.max(Some(user));
            if loading.members.len() < MEMBERS_MAX {
                loading.members.insert(user, Member { name, here, role, muted });
            }
        }
        let is_full = loading.members.len() >= MEMBERS_MAX;
        if is_last || is_full {
            let loading = std::mem::take(&mut **loading);
            room.know(loading, !is_last);
        }
    }

    /// The server does not list the members; on the next connection it is asked again.
    pub(super) fn members_refused(&mut self, id: RoomId, again: bool) {
        if let Some(room) = self.rooms.get_mut(&id) {
            // `Known` as of the end of time: nothing is asked, and nothing applied to a list
            // that is not there.
            room.people =
                if again { People::Unknown } else { People::Known { as_of: Seq(u64::MAX) } };
        }
    }

    /// The connection is gone: the lists stay to be looked at, and are asked for again later.
    pub(super) fn lose_people(&mut self) {
        for room in self.rooms.values_mut() {
            room.people = People::Unknown;
        }
    }
}

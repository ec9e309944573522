//! Who is connected, and who was a moment ago. Nothing of this outlives the process.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use parlor_shared::{SessionId, UnixMillis, UserId};

use super::SHELL;
use super::command::{ConnectionId, Monotonic};

/// The half of the chat that is only in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// The time given to the latest command.
    pub(super) last_at: UnixMillis,
    connections: BTreeMap<ConnectionId, Seat>,
    present: BTreeMap<UserId, Present>,
    /// Users without a connection whose grace ends at that moment.
    grace: BTreeSet<(Monotonic, UserId)>,
    /// When that was last done about whom, of what is not for every moment.
    paced: BTreeMap<(Paced, UserId), UnixMillis>,
}

/// What is not for every moment, because everybody hears of it or pays for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Paced {
    Erasing,
    Renaming,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seat {
    pub(super) user: UserId,
    /// 0: the shell of this machine, which has none.
    pub(super) session: SessionId,
    pub(super) source: IpAddr,
}

#[derive(Clone, Debug, Default)]
struct Present {
    connections: BTreeSet<ConnectionId>,
    grace_ends: Option<Monotonic>,
    /// With whose sign-in the presence began.
    began_with: ConnectionId,
}

/// What a lost connection meant for its user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Loss {
    /// The connection was not signed in.
    Stranger,
    /// The user has others, or a grace began.
    Nothing(UserId),
    /// The user is gone now.
    Gone(UserId),
}

impl Live {
    pub(super) fn new(last_at: UnixMillis) -> Self {
        Self { last_at, ..Self::default() }
    }

    pub(super) fn user_of(&self, connection: ConnectionId) -> Option<UserId> {
        self.connections.get(&connection).map(|it| it.user)
    }

    pub(super) fn seat_of(&self, connection: ConnectionId) -> Option<Seat> {
        self.connections.get(&connection).copied()
    }

    /// Everybody's connections, with whose they are.
    pub(super) fn seats(&self) -> impl Iterator<Item = (ConnectionId, Seat)> + '_ {
        self.connections.iter().map(|(connection, seat)| (*connection, *seat))
    }

    /// Has a connection of that session.
    pub(super) fn is_session_here(&self, user: UserId, session: SessionId) -> bool {
        self.connections_of(user)
            .any(|it| self.seat_of(it).is_some_and(|seat| seat.session == session))
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.connections.keys().copied()
    }

    pub(super) fn connections_of(&self, user: UserId) -> impl Iterator<Item = ConnectionId> + '_ {
        self.present.get(&user).into_iter().flat_map(|it| it.connections.iter().copied())
    }

    /// Has a connection, or lost the last one a moment ago.
    pub(super) fn is_here(&self, user: UserId) -> bool {
        self.present.contains_key(&user)
    }

    /// How long to wait before it is done about `user` once more; otherwise notes that it is.
    pub(super) fn too_soon(
        &mut self,
        what: Paced,
        user: UserId,
        at: UnixMillis,
        pause_millis: u64,
    ) -> Option<u64> {
        let is_over = |last: UnixMillis| at < last || at.since(last) >= pause_millis;
        self.paced.retain(|(it, _), last| *it != what || !is_over(*last));
        let last = *self.paced.entry((what, user)).or_insert(at);
        // Several rooms at one moment are one act.
        (last != at).then(|| pause_millis - at.since(last))
    }

    pub(super) fn next_wakeup(&self) -> Option<Monotonic> {
        self.grace.first().map(|(when, _)| *when)
    }

    /// Seats a connection; true when its user was away.
    pub(super) fn seat(&mut self, connection: ConnectionId, seat: Seat) -> bool {
        self.connections.insert(connection, seat);
        let user = seat.user;
        if user == SHELL {
            // The house itself is nowhere to be seen.
            return false;
        }
        let was_away = !self.present.contains_key(&user);
        let present = self
            .present
            .entry(user)
            .or_insert_with(|| Present { began_with: connection, ..Present::default() });
        present.connections.insert(connection);
        if let Some(when) = present.grace_ends.take() {
            self.grace.remove(&(when, user));
        }
        was_away
    }

    /// Ends a connection. With `grace_ends` its user stays here until then, without it the user
    /// is gone with its last connection.
    pub(super) fn end(&mut self, connection: ConnectionId, grace_ends: Option<Monotonic>) -> Loss {
        let Some(Seat { user, .. }) = self.connections.remove(&connection) else {
            return Loss::Stranger;
        };
        let Some(present) = self.present.get_mut(&user) else { return Loss::Stranger };
        present.connections.remove(&connection);
        if !present.connections.is_empty() {
            return Loss::Nothing(user);
        }
        if let Some(when) = grace_ends {
            present.grace_ends = Some(when);
            self.grace.insert((when, user));
            return Loss::Nothing(user);
        }
        self.present.remove(&user);
        Loss::Gone(user)
    }

    /// Makes the sign-ins of `hellos` not have happened, also where the connection ended since.
    pub(super) fn unseat(&mut self, hellos: &BTreeSet<ConnectionId>) {
        self.connections.retain(|connection, _| !hellos.contains(connection));
        let grace = &mut self.grace;
        self.present.retain(|user, it| {
            it.connections.retain(|connection| !hellos.contains(connection));
            let is_undone = hellos.contains(&it.began_with);
            if let (true, Some(when)) = (is_undone, it.grace_ends) {
                grace.remove(&(when, *user));
            }
            !is_undone
        });
    }

    /// A user whose grace is over at `now`, who is thereby gone.
    pub(super) fn next_gone(&mut self, now: Monotonic) -> Option<UserId> {
        let (when, user) = self.grace.first().copied()?;
        if when > now {
            return None;
        }
        self.grace.remove(&(when, user));
        self.present.remove(&user);
        Some(user)
    }
}

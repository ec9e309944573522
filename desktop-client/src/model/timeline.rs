//! One room's events as rows: a contiguous run that always reaches to the newest known event.
//!
//! Row `i` has the seq `first_seq + i`, so a seq is a row's identity for ever and finding it is
//! a subtraction. Adding at either end is amortised O(1).
//!
//! Invariant: no holes. What does not continue the run at one of its ends is not taken.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

use parlor_shared::{Fact, Nth, RoomEvent, RoomName, Seq, Text, UnixMillis, UserId, UserName};

/// Names that are shared between rows; beyond this the sharing starts anew.
const SHARED_NAMES_MAX: usize = 4_096;

/// One event, as compact as it can be shown from.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub at: UnixMillis,
    pub by: UserId,
    /// The author's name at that moment.
    pub name: Arc<UserName>,
    /// How many messages the room had, up to and with this event.
    pub nth: Nth,
    pub what: What,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Opened(RoomName),
    Joined,
    Left,
    Said(Text),
    /// Said to everybody by somebody who sees to the server.
    Announced(Text),
    /// A message whose text was erased.
    Blank,
    /// What somebody did to somebody or to the room, told in a sentence. Never one of the facts
    /// that have a variant of their own.
    Act(Box<Fact>),
    /// Needs a newer Parlor.
    Unknown,
}

impl Row {
    /// The message's text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::Said(text) | What::Announced(text) => Some(text.as_str()),
            What::Opened(_)
            | What::Joined
            | What::Left
            | What::Blank
            | What::Act(_)
            | What::Unknown => None,
        }
    }

    /// It counts as a message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self.what, What::Said(_) | What::Announced(_) | What::Blank)
    }
}

/// The run of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    rows: VecDeque<Row>,
    /// The seq of row 0; meaningless while there is none.
    first: Seq,
    version: u64,
    names: BTreeMap<UserId, Arc<UserName>>,
    /// Whose texts were erased, up to and with which place.
    erased: BTreeMap<UserId, Seq>,
}

/// The room's count of messages at an event that is one.
pub(super) fn nth_of(fact: &Fact) -> Option<Nth> {
    match fact {
        Fact::Said { nth, .. } | Fact::Blank { nth, .. } | Fact::Announced { nth, .. } => {
            Some(*nth)
        }
        Fact::Opened { .. }
        | Fact::Joined {}
        | Fact::Left {}
        | Fact::Renamed { .. }
        | Fact::Kicked { .. }
        | Fact::Banned { .. }
        | Fact::Muted { .. }
        | Fact::Unmuted { .. }
        | Fact::RoleGiven { .. }
        | Fact::Erased { .. }
        | Fact::Ended { .. }
        | Fact::Unknown => None,
    }
}

/// The event as it is once its text is erased.
pub fn blank(event: &mut RoomEvent) {
    if let Fact::Said { nth, client_id, .. } | Fact::Announced { nth, client_id, .. } = event.fact {
        event.fact = Fact::Blank { nth, client_id };
    }
}

impl Timeline {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at `index`, 0 being the oldest. O(1).
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Row> {
        self.rows.get(index)
    }

    /// The seq of the row at `index`.
    #[must_use]
    pub fn seq_at(&self, index: usize) -> Seq {
        Seq(self.first.0 + index as u64)
    }

    /// The row with this seq, where it is loaded. O(1).
    #[must_use]
    pub fn index_of(&self, seq: Seq) -> Option<usize> {
        let index = usize::try_from(seq.0.checked_sub(self.first.0)?).ok()?;
        (index < self.rows.len()).then_some(index)
    }

    /// The seq of the oldest row; `Seq(0)` without rows.
    #[must_use]
    pub fn first_seq(&self) -> Seq {
        if self.rows.is_empty() { Seq(0) } else { self.first }
    }

    /// The seq of the newest row; `Seq(0)` without rows.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        match self.rows.len() {
            0 => Seq(0),
            len => self.seq_at(len - 1),
        }
    }

    /// The place of the room's `nth` message, where it is loaded. O(log n).
    #[must_use]
    pub fn seq_of_message(&self, nth: Nth) -> Option<Seq> {
        let index = self.rows.partition_point(|row| row.nth < nth);
        let row = self.rows.get(index)?;
        (row.nth == nth && row.is_message()).then(|| self.seq_at(index))
    }

    /// Changes whenever a row is added, removed or erased.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The rows, oldest first, with their seqs.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Seq, &Row)> {
        self.rows.iter().enumerate().map(|(index, row)| (self.seq_at(index), row))
    }

    /// Takes an event that continues the run at its newer end; the first event begins a run.
    /// `before` is the room's count of messages before it, for a run that begins.
    /// False: it does not continue, and nothing changed.
    pub fn push(&mut self, event: &RoomEvent, before: Nth) -> bool {
        let before = match self.rows.back() {
            Some(_) if event.seq != self.last_seq().next() => return false,
            Some(row) => row.nth,
            None => {
                self.first = event.seq;
                before
            }
        };
        if let Fact::Erased { user, through } = &event.fact {
            self.erase(*user, *through);
        }
        let nth = nth_of(&event.fact).unwrap_or(before);
        let row = self.row(event, nth);
        self.rows.push_back(row);
        self.version += 1;
        true
    }

    /// Takes a page, ascending, that ends right before the oldest row. False: it does not, or is
    /// not contiguous, and nothing changed.
    pub fn prepend(&mut self, page: &[RoomEvent]) -> bool {
        let Some(oldest) = self.rows.front() else { return false };
        let mut expected = self.first;
        for event in page.iter().rev() {
            if event.seq.next() != expected || event.seq == Seq(0) {
                return false;
            }
            expected = event.seq;
        }
        let before = oldest.nth.0.saturating_sub(u64::from(oldest.is_message()));
        let mut nth = Nth(before);
        for event in page.iter().rev() {
            let row = self.row(event, nth);
            if row.is_message() {
                nth = Nth(nth.0.saturating_sub(1));
            }
            self.rows.push_front(row);
        }
        self.first = expected;
        self.version += 1;
        true
    }

    /// Lets the oldest rows go until `len` are left.
    pub fn keep_newest(&mut self, len: usize) {
        let surplus = self.rows.len().saturating_sub(len);
        if surplus > 0 {
            self.rows.drain(..surplus);
            self.rows.shrink_to(len * 2);
            self.first = Seq(self.first.0 + surplus as u64);
            self.version += 1;
        }
    }

    /// The event's text was erased after it was said.
    #[must_use]
    pub fn is_erased(&self, event: &RoomEvent) -> bool {
        self.erased.get(&event.by).is_some_and(|through| event.seq <= *through)
    }

    /// Everything that somebody said up to and with `through` loses its text.
    fn erase(&mut self, user: UserId, through: Seq) {
        let known = self.erased.entry(user).or_default();
        *known = through.max(*known);
        let end = usize::try_from(through.next().0.saturating_sub(self.first.0));
        let end = end.map_or(self.rows.len(), |it| it.min(self.rows.len()));
        for row in self.rows.range_mut(..end).filter(|row| row.by == user) {
            if row.text().is_some() {
                row.what = What::Blank;
            }
        }
    }

    /// Lets all rows go.
    pub fn clear(&mut self) {
        self.rows = VecDeque::new();
        self.names.clear();
        self.erased.clear();
        self.version += 1;
    }

    fn row(&mut self, event: &RoomEvent, nth: Nth) -> Row {
        if self.names.len() >= SHARED_NAMES_MAX {
            self.names.clear();
        }
        let name = match self.names.entry(event.by) {
            Entry::Occupied(entry) if **entry.get() == event.name => Arc::clone(entry.get()),
            Entry::Occupied(mut entry) => {
                entry.insert(Arc::new(event.name.clone()));
                Arc::clone(entry.get())
            }
            Entry::Vacant(entry) => Arc::clone(entry.insert(Arc::new(event.name.clone()))),
        };
        let what = match &event.fact {
            Fact::Opened { title } => What::Opened(title.clone()),
            Fact::Joined {} => What::Joined,
            Fact::Left {} => What::Left,
            Fact::Said { .. } | Fact::Announced { .. } if self.is_erased(event) => What::Blank,
            Fact::Said { text, .. } => What::Said(text.clone()),
            Fact::Announced { text, .. } => What::Announced(text.clone()),
            Fact::Blank { .. } => What::Blank,
            Fact::Unknown => What::Unknown,
            Fact::Renamed { .. }
            | Fact::Kicked { .. }
            | Fact::Banned { .. }
            | Fact::Muted { .. }
            | Fact::Unmuted { .. }
            | Fact::RoleGiven { .. }
            | Fact::Erased { .. }
            | Fact::Ended { .. } => What::Act(Box::new(event.fact.clone())),
        };
        Row { at: event.at, by: event.by, name, nth, what }
    }
}

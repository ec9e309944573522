//! What a timeline looks like as a list of blocks: who is shown with a name again, where a day
//! begins, which joinings and leavings fold into one line. Pure, and incremental: a new event
//! costs one block, a page of older ones costs that page.
//!
//! Invariant: the blocks cover the timeline's rows in order and without holes, and each block
//! depends only on its own rows and the one before.

use std::collections::VecDeque;

use parlor_shared::{Seq, UnixMillis, UserId};

use super::calendar::{Calendar, Day};
use crate::model::{Row, Timeline, What};

/// A later message of the same author is shown without the name until this much has passed.
pub const GROUP_MILLIS: u64 = 5 * 60 * 1_000;
/// A clock that goes back by less is not shown going back; beyond it a line says so.
pub const CLOCK_BACK_MILLIS: u64 = 5 * 60 * 1_000;
/// Notices in one folded line at most: what is drawn in one go stays small.
const FOLD_MAX: u64 = 500;

/// One or more rows that are shown as one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Block {
    pub first: Seq,
    /// The same as `first`, but for folded notices. Names the block: it does not change when
    /// older events arrive.
    pub last: Seq,
    pub kind: Kind,
    /// The time to show; does not go back by a little when the server's clock did.
    pub at: UnixMillis,
    pub by: UserId,
    /// A day begins here.
    pub new_day: bool,
    /// The server's clock went back by much before this.
    pub clock_back: bool,
}

/// What a block shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A message; with `head` its author's name and picture are shown.
    Said { head: bool },
    /// Joinings, leavings and the room's opening, in one line.
    Notices,
    /// What somebody did to somebody or to the room, in a line of its own.
    Act,
    /// Something that needs a newer Parlor.
    Unknown,
}

/// How the blocks changed, for those who keep something per block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    Nothing,
    /// The first `kept` blocks are as before.
    Appended {
        kept: usize,
    },
    /// `added` blocks take the place of the first `replaced`; the others are as before.
    Prepended {
        added: usize,
        replaced: usize,
    },
    /// All are new.
    Rebuilt,
}

/// The blocks of one timeline.
#[derive(Debug, Default)]
pub struct Blocks {
    blocks: VecDeque<Block>,
    first: Seq,
    last: Seq,
    version: u64,
    /// The day of the block looked at last: most rows are of the same one.
    day: Option<Day>,
}

impl Blocks {
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Block> {
        self.blocks.get(index)
    }

    #[must_use]
    pub fn last(&self) -> Option<&Block> {
        self.blocks.back()
    }

    /// The block that shows the event at `seq`: O(log n).
    #[must_use]
    pub fn index_of(&self, seq: Seq) -> Option<usize> {
        let index = self.blocks.partition_point(|it| it.last < seq);
        self.blocks.get(index).filter(|it| it.first <= seq).map(|_| index)
    }

    /// Follows the timeline.
    pub fn follow(&mut self, timeline: &Timeline, calendar: &Calendar) -> Change {
        if self.version == timeline.version() && self.last == timeline.last_seq() {
            return Change::Nothing;
        }
        self.version = timeline.version();
        let (first, last) = (timeline.first_seq(), timeline.last_seq());
        let (old_first, old_last) = (self.first, self.last);
        (self.first, self.last) = (first, last);
        if self.blocks.is_empty() || last < old_last || first > old_first || last.0 == 0 {
            self.blocks.clear();
            self.extend(timeline, calendar, first, last);
            return Change::Rebuilt;
        }
        if first < old_first {
            let change = self.prepend(timeline, calendar, first);
            if last == old_last {
                return change;
            }
            // Both ends at once is rare enough for the simplest answer.
            self.blocks.clear();
            self.extend(timeline, calendar, first, last);
            return Change::Rebuilt;
        }
        // A folded line may take up what follows it.
        let reopened = self.blocks.pop_back();
        let from = reopened.map_or(first, |it| it.first);
        let kept = self.blocks.len();
        self.extend(timeline, calendar, from, last);
        Change::Appended { kept }
    }

    fn prepend(&mut self, timeline: &Timeline, calendar: &Calendar, first: Seq) -> Change {
        // The seam: all up to the first block that cannot fold with what comes before it.
        let mut replaced = 0;
        let mut seam = None;
        while let Some(block) = self.blocks.pop_front() {
            replaced += 1;
            seam = Some(block);
            if block.kind != Kind::Notices {
                break;
            }
        }
        let Some(seam) = seam else { return Change::Nothing };
        let behind = std::mem::take(&mut self.blocks);
        self.extend(timeline, calendar, first, seam.last);
        // What follows the seam looks at it for its author, kind and time. Only a clock that
        // went back across the seam changes them.
        let is_same = |it: &Block| it.at == seam.at && it.last == seam.last;
        if !self.blocks.back().is_some_and(is_same) {
            self.blocks.clear();
            self.extend(timeline, calendar, first, self.last);
            return Change::Rebuilt;
        }
        let added = self.blocks.len();
        self.blocks.extend(behind);
        Change::Prepended { added, replaced }
    }

    /// Adds the blocks of the rows `from..=to`.
    fn extend(&mut self, timeline: &Timeline, calendar: &Calendar, from: Seq, to: Seq) {
        let (Some(start), Some(end)) = (timeline.index_of(from), timeline.index_of(to)) else {
            return;
        };
        for index in start..=end {
            if let Some(row) = timeline.get(index) {
                self.push(timeline.seq_at(index), row, calendar);
            }
        }
    }

    fn push(&mut self, seq: Seq, row: &Row, calendar: &Calendar) {
        let before = self.blocks.back().copied();
        let (at, clock_back) = shown_time(before, row.at);
        let same_day = match before {
            Some(before) => {
                let day = self.day_of(before.at, calendar);
                day.contains(at)
            }
            None => false,
        };
        let follows = same_day && !clock_back;
        let kind = match &row.what {
            What::Said(_) | What::Announced(_) | What::Blank => Kind::Said {
                head: matches!(row.what, What::Announced(_))
                    || !before.is_some_and(|before| {
                        follows
                            && matches!(before.kind, Kind::Said { .. })
                            && before.by == row.by
                            && at.since(before.at) < GROUP_MILLIS
                    }),
            },
            What::Opened(_) | What::Joined | What::Left => Kind::Notices,
            What::Act(_) => Kind::Act,
            What::Unknown => Kind::Unknown,
        };
        if kind == Kind::Notices
            && follows
            && let Some(last) = self.blocks.back_mut()
            && last.kind == Kind::Notices
            && seq.0 - last.first.0 < FOLD_MAX
        {
            last.last = seq;
            last.at = at;
            return;
        }
        let new_day = !same_day;
        self.blocks.push_back(Block {
            first: seq,
            last: seq,
            kind,
            at,
            by: row.by,
            new_day,
            clock_back,
        });
    }

    fn day_of(&mut self, at: UnixMillis, calendar: &Calendar) -> Day {
        match self.day {
            Some(day) if day.contains(at) => day,
            _ => *self.day.insert(calendar.day(at)),
        }
    }
}

/// The time to show for a row after `before`, and whether the clock went back by much.
fn shown_time(before: Option<Block>, at: UnixMillis) -> (UnixMillis, bool) {
    match before {
        Some(before) if at < before.at => {
            if before.at.since(at) < CLOCK_BACK_MILLIS {
                (before.at, false)
            } else {
                (at, true)
            }
        }
        _ => (at, false),
    }
}

//! Where the eye is in a long list of rows, and which rows it sees.
//!
//! The eye holds on to a row, not to a number of points from the top: whatever arrives above,
//! is corrected above or leaves above, the row under the eye stays where it is on the screen.
//! It holds that row by its *bottom* edge, because what changes in a row (a day's heading, an
//! author's name) is at its top.
//!
//! Invariant: only rows that were measured at the present width are ever shown, so what is on
//! the screen is exact; estimates move nothing but the scroll bar.

use super::heights::{Height, Heights};

/// What the eye holds on to between frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Eye {
    /// The end of the list, whatever is added there.
    End,
    /// The row that crosses the top of the view.
    Row {
        row: usize,
        /// From the top of the view down to the row's bottom edge, in points; more than 0.
        bottom: f32,
    },
}

/// What a frame shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The first row in view, counted from the list's beginning.
    pub first: usize,
    /// From the top of the view to the first row's top edge: 0 or negative, unless the list is
    /// shorter than the view.
    pub top: f32,
    /// One past the last row in view.
    pub end: usize,
    /// The list's end is in view.
    pub at_end: bool,
    /// Points of the list above the view, as far as known.
    pub above: f32,
    /// Points of the whole list, as far as known.
    pub total: f32,
}

/// How the person moved in this frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// By so many points: positive towards the end.
    By(f32),
    /// So that this row is at the view's top, so many points below it.
    ToRow { row: usize, below_top: f32 },
    /// So that this many points of the list are above the view, as by dragging the scroll bar.
    To(f32),
    /// To the end.
    ToEnd,
}

/// Closer to the end than this counts as being there.
const END_SLACK: f32 = 0.5;

impl Eye {
    /// Moves, measures what comes into view and says what is seen.
    ///
    /// `measure` lays out one row at the present width and returns its height in whole points;
    /// it is called for the rows in view and a few that were just passed, never for the others.
    /// Rows taller than a view are fine; heights of 0 are taken as 1.
    pub fn look(
        &mut self,
        heights: &mut Heights,
        view: f32,
        moved: Move,
        mut measure: impl FnMut(usize) -> u32,
    ) -> Seen {
        let count = heights.len();
        if count == 0 {
            *self = Self::End;
            return Seen { first: 0, top: 0.0, end: 0, at_end: true, above: 0.0, total: 0.0 };
        }
        let mut exact = |heights: &mut Heights, row: usize| -> f32 {
            let known = heights.get(row);
            if !known.measured {
                heights.set(row, Height::measured(measure(row).max(1)));
            }
            heights.get(row).points as f32
        };
        let (row, bottom) = self.start(heights, view, moved, &mut exact);
        let (first, top) = settle(heights, row, bottom, &mut exact);
        let (first, top, end, below) = fill(heights, first, top, view, &mut exact);
        let at_end = end == count && below <= view + END_SLACK;
        let wants_up = matches!(moved, Move::By(by) if by < 0.0);
        *self = if at_end && !(wants_up && below > view + 0.01) {
            Self::End
        } else {
            Self::Row { row: first, bottom: top + heights.get(first).points as f32 }
        };
        let above = (heights.above(first) as f32 - top).max(0.0);
        Seen { first, top, end, at_end, above, total: heights.total() as f32 }
    }

    /// A row and where its bottom edge should be, before clamping to the list's ends.
    fn start(
        self,
        heights: &mut Heights,
        view: f32,
        moved: Move,
        exact: &mut impl FnMut(&mut Heights, usize) -> f32,
    ) -> (usize, f32) {
        let last = heights.len() - 1;
        match moved {
            Move::ToEnd => (last, view),
            Move::ToRow { row, below_top } => {
                let row = row.min(last);
                let height = exact(heights, row);
                (row, below_top + height)
            }
            Move::To(above) => at_depth(heights, above, exact),
            Move::By(by) => {
                let (row, bottom) = match self {
                    Self::End => (last, view),
                    Self::Row { row, bottom } => (row.min(last), bottom),
                };
                // A long way is jumped by the sums; walking it would measure every row passed.
                if by.abs() > view * 4.0 {
                    let height = heights.get(row).points as f32;
                    let above = heights.above(row) as f32 + height - bottom;
                    return at_depth(heights, above + by, exact);
                }
                (row, bottom - by)
            }
        }
    }
}

/// The row at a depth, with the same part of it above the view as its estimate said.
fn at_depth(
    heights: &mut Heights,
    above: f32,
    exact: &mut impl FnMut(&mut Heights, usize) -> f32,
) -> (usize, f32) {
    let row = heights.row_at(above.max(0.0) as u64);
    let guess = heights.get(row).points.max(1) as f32;
    let passed = ((above - heights.above(row) as f32) / guess).clamp(0.0, 1.0);
    let height = exact(heights, row);
    (row, height * (1.0 - passed))
}

/// Walks to the row that crosses the top of the view: (row, where its top edge is).
fn settle(
    heights: &mut Heights,
    mut row: usize,
    mut bottom: f32,
    exact: &mut impl FnMut(&mut Heights, usize) -> f32,
) -> (usize, f32) {
    let mut height = exact(heights, row);
    while bottom <= 0.0 && row + 1 < heights.len() {
        row += 1;
        height = exact(heights, row);
        bottom += height;
    }
    while bottom - height > 0.0 && row > 0 {
        bottom -= height;
        row -= 1;
        height = exact(heights, row);
    }
    (row, bottom - height)
}

/// Fills the view downwards, and keeps the list's ends at the view's edges:
/// (first row, its top, one past the last row, where that one's bottom is).
fn fill(
    heights: &mut Heights,
    mut first: usize,
    mut top: f32,
    view: f32,
    exact: &mut impl FnMut(&mut Heights, usize) -> f32,
) -> (usize, f32, usize, f32) {
    // Nothing above the first row: it cannot hang below the view's top.
    if first == 0 && top > 0.0 {
        top = 0.0;
    }
    let (mut end, mut below) = (first, top);
    while end < heights.len() && below < view {
        below += exact(heights, end);
        end += 1;
    }
    if end == heights.len() && below < view {
        // Nothing below the last row: everything comes down to the view's bottom edge.
        top += view - below;
        below = view;
        while top > 0.0 && first > 0 {
            first -= 1;
            top -= exact(heights, first);
        }
    }
    (first, top, end, below)
}

//! How tall each row of a timeline is, and sums of it, for rows in their hundred thousands.
//!
//! Most heights are estimates until their row comes into view; correcting one, and finding the
//! row at a depth, cost O(log n) (a Fenwick tree), so scrolling does not slow down with length.
//!
//! Invariant: heights are whole points. Sums are exact, so nothing drifts however often a row
//! is corrected.

/// Heights of rows in points, with prefix sums.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    each: Vec<Height>,
    /// Fenwick tree, one-based: `tree[i]` is the sum of the `i & -i` heights that end at row `i`.
    tree: Vec<u64>,
}

/// One row's height.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Height {
    /// Whole points.
    pub points: u32,
    /// Laid out at the present width, rather than guessed.
    pub measured: bool,
}

impl Height {
    #[must_use]
    pub fn estimated(points: u32) -> Self {
        Self { points, measured: false }
    }

    #[must_use]
    pub fn measured(points: u32) -> Self {
        Self { points, measured: true }
    }
}

impl Heights {
    #[must_use]
    pub fn new(each: Vec<Height>) -> Self {
        let mut heights = Self { each, tree: Vec::new() };
        heights.rebuild();
        heights
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.each.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The height of one row; 0 beyond the last.
    #[must_use]
    pub fn get(&self, row: usize) -> Height {
        self.each.get(row).copied().unwrap_or(Height::estimated(0))
    }

    /// Corrects one row: O(log n).
    pub fn set(&mut self, row: usize, height: Height) {
        let Some(slot) = self.each.get_mut(row) else { return };
        let old = std::mem::replace(slot, height);
        let mut at = row + 1;
        while at < self.tree.len() {
            self.tree[at] = self.tree[at] + u64::from(height.points) - u64::from(old.points);
            at += lowest_bit(at);
        }
    }

    /// Adds a row at the end: O(log n).
    pub fn push(&mut self, height: Height) {
        if self.tree.is_empty() {
            self.tree.push(0);
        }
        self.each.push(height);
        let at = self.each.len();
        // The new node covers the rows (at - lowest bit, at]: sums that are in the tree already.
        let mut sum = u64::from(height.points);
        let mut child = at - 1;
        let floor = at - lowest_bit(at);
        while child > floor {
            sum += self.tree[child];
            child -= lowest_bit(child);
        }
        self.tree.push(sum);
    }

    /// Drops the rows from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.each.truncate(len);
        self.tree.truncate(len + 1);
    }

    /// Sum of the heights of the first `rows` rows: O(log n).
    #[must_use]
    pub fn above(&self, rows: usize) -> u64 {
        let (mut sum, mut at) = (0, rows.min(self.each.len()));
        while at > 0 {
            sum += self.tree[at];
            at -= lowest_bit(at);
        }
        sum
    }

    /// Sum of all heights.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.above(self.each.len())
    }

    /// The row that holds the point `depth` below the top of the first row; the last row when
    /// that is beyond the end: O(log n).
    #[must_use]
    pub fn row_at(&self, depth: u64) -> usize {
        let mut row = 0;
        let mut left = depth;
        let mut step = self.each.len().checked_ilog2().map_or(0, |it| 1_usize << it);
        while step > 0 {
            let next = row + step;
            if next < self.tree.len() && self.tree[next] <= left {
                row = next;
                left -= self.tree[next];
            }
            step /= 2;
        }
        row.min(self.each.len().saturating_sub(1))
    }

    /// Every height is a guess again, as after a change of width: O(n).
    pub fn forget_measures(&mut self) {
        for height in &mut self.each {
            height.measured = false;
        }
    }

    fn rebuild(&mut self) {
        self.tree = vec![0; self.each.len() + 1];
        for (row, height) in self.each.iter().enumerate() {
            let at = row + 1;
            self.tree[at] += u64::from(height.points);
            let parent = at + lowest_bit(at);
            if parent < self.tree.len() {
                self.tree[parent] += self.tree[at];
            }
        }
    }
}

fn lowest_bit(of: usize) -> usize {
    of & of.wrapping_neg()
}

//! The list of rows of different heights: exact sums, and an eye that never jumps.

use parlor_desktop::view::eye::{Eye, Move, Seen};
use parlor_desktop::view::heights::{Height, Heights};
use proptest::prelude::*;

/// The naive list that the tree has to agree with.
fn naive_row_at(heights: &[u32], depth: u64) -> usize {
    let mut above = 0;
    for (row, height) in heights.iter().enumerate() {
        above += u64::from(*height);
        if depth < above {
            return row;
        }
    }
    heights.len().saturating_sub(1)
}

#[derive(Clone, Debug)]
enum Step {
    Push(u32),
    Set(usize, u32),
    Truncate(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..500_u32).prop_map(Step::Push),
        2 => (any::<usize>(), 0..500_u32).prop_map(|(row, height)| Step::Set(row, height)),
        1 => any::<usize>().prop_map(Step::Truncate),
    ]
}

proptest! {
    /// Sums and searches agree with counting, whatever happened to the list.
    #[test]
    fn sums_are_exact(
        start in proptest::collection::vec(0..500_u32, 0..60),
        steps in proptest::collection::vec(step(), 0..60),
        depth in 0..20_000_u64,
    ) {
        let mut naive = start.clone();
        let mut heights = Heights::new(start.into_iter().map(Height::estimated).collect());
        for step in steps {
            match step {
                Step::Push(height) => {
                    naive.push(height);
                    heights.push(Height::measured(height));
                }
                Step::Set(row, height) if !naive.is_empty() => {
                    let row = row % naive.len();
                    naive[row] = height;
                    heights.set(row, Height::measured(height));
                }
                Step::Set(..) => {}
                Step::Truncate(len) => {
                    let len = len % (naive.len() + 1);
                    naive.truncate(len);
                    heights.truncate(len);
                }
            }
            prop_assert_eq!(heights.len(), naive.len());
            let total: u64 = naive.iter().map(|it| u64::from(*it)).sum();
            prop_assert_eq!(heights.total(), total);
        }
        for rows in 0..=naive.len() {
            let above: u64 = naive[..rows].iter().map(|it| u64::from(*it)).sum();
            prop_assert_eq!(heights.above(rows), above);
        }
        if !naive.is_empty() {
            prop_assert_eq!(heights.row_at(depth), naive_row_at(&naive, depth));
        }
    }
}

const VIEW: f32 = 600.0;

/// A list of which only the estimates are known at first.
struct List {
    truth: Vec<u32>,
    heights: Heights,
    eye: Eye,
}

impl List {
    fn new(rows: &[(u32, u32)]) -> Self {
        Self {
            truth: rows.iter().map(|it| it.0).collect(),
            heights: Heights::new(rows.iter().map(|it| Height::estimated(it.1)).collect()),
            eye: Eye::End,
        }
    }

    fn look(&mut self, moved: Move) -> Seen {
        let truth = &self.truth;
        self.eye.look(&mut self.heights, VIEW, moved, |row| truth[row])
    }

    /// Where the row's bottom edge is on the screen, if the row is seen.
    fn bottom_of(&self, seen: &Seen, row: usize) -> Option<f32> {
        (seen.first..seen.end).contains(&row).then(|| {
            let heights = self.truth[seen.first..=row].iter();
            seen.top + heights.map(|it| *it as f32).sum::<f32>()
        })
    }

    /// Older rows arrive; the oldest rows change their height (a heading goes).
    fn prepend(&mut self, older: &[(u32, u32)], seam: u32) {
        let mut truth: Vec<u32> = older.iter().map(|it| it.0).collect();
        let mut each: Vec<Height> = older.iter().map(|it| Height::estimated(it.1)).collect();
        truth.append(&mut self.truth);
        each.extend((0..self.heights.len()).map(|it| self.heights.get(it)));
        if let (Some(row), Some(height)) = (truth.get_mut(older.len()), each.get_mut(older.len())) {
            *row = seam;
            *height = Height::estimated(seam);
        }
        (self.truth, self.heights) = (truth, Heights::new(each));
        if let Eye::Row { row, .. } = &mut self.eye {
            *row += older.len();
        }
    }

    fn covers_the_view(&self, seen: &Seen) -> Result<(), TestCaseError> {
        let height: f32 = self.truth[seen.first..seen.end].iter().map(|it| *it as f32).sum();
        let below = seen.top + height;
        prop_assert!(seen.first < seen.end, "something is seen");
        let reaches_up = seen.top <= 0.01 || seen.first == 0;
        prop_assert!(reaches_up, "no hole above: {seen:?}");
        prop_assert!(below >= VIEW - 0.01, "no hole below: {below} of {seen:?}");
        let is_short = self.truth.iter().sum::<u32>() as f32 <= VIEW;
        prop_assert!(seen.top <= 0.01 || is_short, "only a short list hangs at the bottom");
        Ok(())
    }
}

fn rows(least: usize) -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((1..400_u32, 1..400_u32), least..80)
}

proptest! {
    /// What is on the screen stays there when older rows arrive above, however wrong their
    /// estimates are, and even when the oldest row loses its heading.
    #[test]
    fn older_rows_above_move_nothing(
        start in rows(10),
        moves in proptest::collection::vec(-900.0..900.0_f32, 1..6),
        older in rows(1),
        seam in 1..300_u32,
    ) {
        let mut list = List::new(&start);
        let mut seen = list.look(Move::By(0.0));
        for by in moves {
            seen = list.look(Move::By(by));
            list.covers_the_view(&seen)?;
        }
        let Eye::Row { row, bottom } = list.eye else { return Ok(()) };
        prop_assert!((list.bottom_of(&seen, row).unwrap_or(f32::NAN) - bottom).abs() < 0.01);
        // A row so tall that both its ends are out of view may change at its end that is seen.
        list.prepend(&older, seam);
        let seen = list.look(Move::By(0.0));
        list.covers_the_view(&seen)?;
        let now = list.bottom_of(&seen, row + older.len());
        prop_assert_eq!(now.map(f32::round), Some(bottom.round()), "the row moved");
    }

    /// Scrolling there and back ends where it began, unless an end of the list was met.
    #[test]
    fn there_and_back(start in rows(20), by in -500.0..500.0_f32, back in -2_000.0..-400.0_f32) {
        let mut list = List::new(&start);
        list.look(Move::ToEnd);
        list.look(Move::By(back));
        let Eye::Row { row, bottom } = list.eye else { return Ok(()) };
        let there = list.look(Move::By(by));
        if there.at_end || (there.first == 0 && there.top >= -0.01) {
            return Ok(());
        }
        let seen = list.look(Move::By(-by));
        if let Some(now) = list.bottom_of(&seen, row) {
            prop_assert!((now - bottom).abs() < 0.05, "{now} for {bottom}");
        }
    }

    /// At the end one stays at the end when rows arrive there; elsewhere nothing moves.
    #[test]
    fn newer_rows_below(start in rows(5), by in -3_000.0..1.0_f32, newer in rows(1)) {
        let mut list = List::new(&start);
        list.look(Move::ToEnd);
        let before = list.look(Move::By(by));
        let was_at_end = list.eye == Eye::End;
        for (truth, guess) in &newer {
            list.truth.push(*truth);
            list.heights.push(Height::estimated(*guess));
        }
        let after = list.look(Move::By(0.0));
        list.covers_the_view(&after)?;
        if was_at_end {
            prop_assert!(after.at_end, "the newest row is followed");
            prop_assert_eq!(after.end, list.truth.len());
        } else {
            prop_assert_eq!((after.first, after.top.round()), (before.first, before.top.round()));
        }
    }

    /// Another width: every height is another one, and the row under the eye stays.
    #[test]
    fn another_width(start in rows(20), by in -3_000.0..-10.0_f32, factor in 0.3..3.0_f32) {
        let mut list = List::new(&start);
        list.look(Move::ToEnd);
        list.look(Move::By(by));
        let Eye::Row { row, .. } = list.eye else { return Ok(()) };
        for height in &mut list.truth {
            *height = ((*height as f32 * factor) as u32).max(1);
        }
        list.heights.forget_measures();
        let seen = list.look(Move::By(0.0));
        list.covers_the_view(&seen)?;
        prop_assert!((seen.first..seen.end).contains(&row) || seen.at_end || seen.first == 0);
    }

    /// Any jump by the scroll bar shows a full view.
    #[test]
    fn any_jump(start in rows(1), jumps in proptest::collection::vec(-500.0..40_000.0_f32, 1..8)) {
        let mut list = List::new(&start);
        for to in jumps {
            let seen = list.look(Move::To(to));
            list.covers_the_view(&seen)?;
        }
        let seen = list.look(Move::To(0.0));
        prop_assert_eq!(seen.first, 0);
        let seen = list.look(Move::ToEnd);
        prop_assert!(seen.at_end);
    }

    /// Going to a row shows its top where it was wanted, as far as the list's ends allow.
    #[test]
    fn to_a_row(start in rows(30), wanted in any::<prop::sample::Index>()) {
        let mut list = List::new(&start);
        let row = wanted.index(list.truth.len());
        let seen = list.look(Move::ToRow { row, below_top: 4.0 });
        list.covers_the_view(&seen)?;
        let bottom = list.bottom_of(&seen, row);
        let top = bottom.map(|it| it - list.truth[row] as f32);
        prop_assert!(top.is_some_and(|it| (it - 4.0).abs() < 0.01) || seen.at_end || seen.first == 0);
    }
}

#[test]
fn nothing_is_an_end_too() {
    let mut list = List::new(&[]);
    let seen = list.look(Move::By(-10.0));
    assert_eq!((seen.first, seen.end, seen.at_end), (0, 0, true));
}

#[test]
fn only_what_is_seen_is_measured() {
    let mut heights = Heights::new(vec![Height::estimated(20); 100_000]);
    let mut eye = Eye::End;
    let mut measured = 0;
    for moved in [Move::ToEnd, Move::To(1_000_000.0), Move::By(-40_000.0), Move::By(-300.0)] {
        eye.look(&mut heights, VIEW, moved, |_| {
            measured += 1;
            25
        });
    }
    assert!(measured < 200, "{measured} rows were laid out");
}

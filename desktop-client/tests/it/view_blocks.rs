//! Rows to blocks: grouping, folding, days, clocks; and that following a timeline bit by bit
//! ends where looking at it anew does.

use parlor_desktop::model::{Row, Timeline};
use parlor_desktop::view::blocks::{Block, Blocks, Change, Kind};
use parlor_desktop::view::calendar::Calendar;
use parlor_desktop::view::links;
use parlor_shared::{Fact, Nth, RoomEvent, Seq, UnixMillis, UserId};
use proptest::prelude::*;

use crate::view_scene::{DAY, EVENING, LOBBY, MINUTE, said, user_name};

fn event(seq: u64, at: u64, user: u64, fact: Fact) -> RoomEvent {
    let name = user_name(["Ann", "Ben", "Cem"][(user % 3) as usize]);
    RoomEvent { room: LOBBY, seq: Seq(seq), at: UnixMillis(at), by: UserId(user), name, fact }
}

fn timeline(events: &[(u64, u64, Fact)]) -> Timeline {
    let mut timeline = Timeline::default();
    for (index, (at, user, fact)) in events.iter().enumerate() {
        let event = event(index as u64 + 1, *at, *user, fact.clone());
        assert!(timeline.push(&event, Nth(0)), "in order");
    }
    timeline
}

fn all(blocks: &Blocks) -> Vec<Block> {
    (0..blocks.len()).filter_map(|it| blocks.get(it).copied()).collect()
}

fn blocks(events: &[(u64, u64, Fact)]) -> Vec<Block> {
    let mut blocks = Blocks::default();
    let change = blocks.follow(&timeline(events), &Calendar::utc());
    assert!(events.is_empty() || change == Change::Rebuilt);
    all(&blocks)
}

fn say(nth: u64) -> Fact {
    said(Nth(nth), "something")
}

fn heads(blocks: &[Block]) -> Vec<Option<bool>> {
    blocks
        .iter()
        .map(|it| match it.kind {
            Kind::Said { head } => Some(head),
            Kind::Notices | Kind::Act | Kind::Unknown => None,
        })
        .collect()
}

#[test]
fn one_author_within_five_minutes_is_named_once() {
    let at = EVENING;
    let found = blocks(&[
        (at, 1, say(1)),
        (at + MINUTE, 1, say(2)),
        (at + 5 * MINUTE, 1, say(3)),
        (at + 10 * MINUTE, 1, say(4)),
        (at + 10 * MINUTE, 2, say(5)),
        (at + 10 * MINUTE, 1, say(6)),
    ]);
    let expected = [true, false, false, true, true, true].map(Some);
    assert_eq!(heads(&found), expected, "5 minutes after the one before is a new group");
}

#[test]
fn a_new_day_names_the_author_again() {
    let midnight = EVENING - EVENING % DAY + DAY;
    let found =
        blocks(&[(midnight - MINUTE, 1, say(1)), (midnight, 1, say(2)), (midnight + 1, 1, say(3))]);
    assert_eq!(found.iter().map(|it| it.new_day).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(heads(&found), [true, true, false].map(Some));
}

#[test]
fn joinings_and_leavings_fold_until_somebody_speaks() {
    let found = blocks(&[
        (EVENING, 1, Fact::Joined {}),
        (EVENING, 2, Fact::Joined {}),
        (EVENING, 2, Fact::Left {}),
        (EVENING, 1, say(1)),
        (EVENING, 3, Fact::Joined {}),
        (EVENING, 1, say(2)),
        (EVENING, 1, Fact::Unknown),
        (EVENING, 2, Fact::Joined {}),
    ]);
    let spans: Vec<_> = found.iter().map(|it| (it.first.0, it.last.0)).collect();
    assert_eq!(spans, [(1, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8)]);
    assert_eq!(heads(&found), [None, Some(true), None, Some(true), None, None]);
}

#[test]
fn a_clock_that_goes_back_a_little_is_not_shown_going_back() {
    let found = blocks(&[
        (EVENING, 1, say(1)),
        (EVENING - 4 * MINUTE, 1, say(2)),
        (EVENING + MINUTE, 1, say(3)),
        (EVENING - 60 * MINUTE, 1, say(4)),
    ]);
    let shown: Vec<_> = found.iter().map(|it| (it.at.0, it.clock_back)).collect();
    assert_eq!(
        shown,
        [
            (EVENING, false),
            (EVENING, false),
            (EVENING + MINUTE, false),
            (EVENING - 60 * MINUTE, true)
        ]
    );
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        4 => Just(say(1)),
        3 => Just(Fact::Joined {}),
        2 => Just(Fact::Left {}),
        1 => Just(Fact::Unknown),
    ]
}

fn any_events() -> impl Strategy<Value = Vec<(u64, u64, Fact)>> {
    let steps = proptest::collection::vec((-20..60_i64, 1..4_u64, any_fact()), 1..60);
    steps.prop_map(|steps| {
        let mut at = EVENING as i64;
        steps
            .into_iter()
            .map(|(minutes, user, fact)| {
                at += minutes * MINUTE as i64 / 3;
                (at as u64, user, fact)
            })
            .collect()
    })
}

proptest! {
    /// Pages of older events and single new ones, in any order: the blocks are those of the
    /// whole, and what `follow` says was kept was kept.
    #[test]
    fn bit_by_bit_is_the_same_as_at_once(
        events in any_events(),
        begin in any::<prop::sample::Index>(),
        pages in proptest::collection::vec((any::<bool>(), 1..12_usize), 0..20),
    ) {
        let calendar = Calendar::utc();
        let events: Vec<RoomEvent> = events
            .into_iter()
            .enumerate()
            .map(|(index, (at, user, fact))| event(index as u64 + 1, at, user, fact))
            .collect();
        let (mut from, mut to) = (begin.index(events.len()), begin.index(events.len()) + 1);
        let mut timeline = Timeline::default();
        prop_assert!(timeline.push(&events[from], Nth(0)));
        let mut blocks = Blocks::default();
        blocks.follow(&timeline, &calendar);
        for (is_older, count) in pages {
            let before = all(&blocks);
            if is_older {
                let start = from.saturating_sub(count);
                timeline.prepend(&events[start..from]);
                from = start;
            } else {
                let end = (to + count).min(events.len());
                for event in &events[to..end] {
                    timeline.push(event, Nth(0));
                }
                to = end;
            }
            let change = blocks.follow(&timeline, &calendar);
            let after = all(&blocks);
            match change {
                Change::Nothing => prop_assert_eq!(&before, &after),
                Change::Appended { kept } => prop_assert_eq!(&before[..kept], &after[..kept]),
                Change::Prepended { added, replaced } => {
                    prop_assert_eq!(&before[replaced..], &after[added..]);
                }
                Change::Rebuilt => {}
            }
            let mut anew = Blocks::default();
            anew.follow(&timeline, &calendar);
            prop_assert_eq!(all(&anew), after);
            for (seq, _) in timeline.iter() {
                let block = blocks.index_of(seq).and_then(|it| blocks.get(it));
                prop_assert!(block.is_some_and(|it| (it.first..=it.last).contains(&seq)));
            }
        }
    }

    /// A link never reaches beyond the text and never holds what takes no ink.
    #[test]
    fn links_are_within_the_text(text in "(http|https|ftp|x|https?://|[a-z.)(\\[\\]]| |\u{202e}|ü|/){0,40}") {
        let mut end = 0;
        for link in links::find(&text) {
            prop_assert!(link.start >= end && link.end <= text.len());
            end = link.end;
            let target = &text[link];
            prop_assert!(target.starts_with("http://") || target.starts_with("https://"));
            let is_clean = !target.contains('\u{202e}') && !target.contains(' ');
            prop_assert!(is_clean);
        }
    }
}

#[test]
fn links_end_where_people_end_them() {
    let find = |text: &str| -> Vec<String> {
        links::find(text).into_iter().map(|it| text[it].to_owned()).collect()
    };
    let plain = "https://example.org/a?b=c";
    assert_eq!(find(&format!("see {plain}.")), [plain]);
    assert_eq!(find(&format!("({plain})")), [plain]);
    assert_eq!(
        find("https://en.example.org/wiki/Rust_(language)"),
        ["https://en.example.org/wiki/Rust_(language)"]
    );
    assert_eq!(find(&format!("{plain}\nhttp://b.example")), [plain, "http://b.example"]);
    assert_eq!(
        find("xhttps://a.example https:// http://. file:///etc/passwd javascript:x"),
        [""; 0]
    );
    assert_eq!(find("https://a.example/\u{202e}gpj.exe"), ["https://a.example/"]);
}

#[test]
fn days_and_times_in_words() {
    let calendar = Calendar::utc();
    let now = UnixMillis(EVENING);
    let day = |back: u64| calendar.day_in_words(UnixMillis(EVENING - back * DAY), now);
    assert_eq!(calendar.time(now), "18:53");
    assert_eq!([day(0), day(1)], ["Today", "Yesterday"]);
    assert_eq!(day(2), "Sunday, 1 March");
    assert_eq!(day(365), "Monday, 3 March 2025");
    assert_eq!(calendar.day_in_words(UnixMillis(EVENING + DAY), now), "Wednesday, 4 March");
    // A broken clock breaks nothing.
    let end = calendar.day(UnixMillis(u64::MAX));
    assert!(end.from <= end.until, "{end:?}");
}

#[test]
fn a_row_is_small_enough_for_a_hundred_thousand() {
    assert!(size_of::<Block>() <= 48, "{} bytes", size_of::<Block>());
    assert!(size_of::<Row>() <= 64, "{} bytes", size_of::<Row>());
}

#[test]
fn words_from_right_to_left_are_shown_in_that_order() {
    use parlor_desktop::view::bidi::shown_order;
    let shown = |line: &str| shown_order(line).concat();
    assert_eq!(shown("just this"), "just this");
    // Each word stays whole: it is drawn rightly as it is.
    assert_eq!(shown("שלום עולם"), "עולם שלום");
    assert_eq!(shown("say שלום עולם now"), "say עולם שלום now");
    assert_eq!(shown("שלום at 7:30"), "at 7:30 שלום");
    assert_eq!(shown("שלום 7:30!"), "!7:30 שלום");
    // Numbers keep their order, and an override cannot make one word look like another.
    assert_eq!(shown("\u{202e}exe.txt"), "\u{202e}exe.txt");
    assert_eq!(shown("\u{202e}א exe"), "exe א\u{202e}");
}

proptest! {
    /// Whatever is said, nothing of it is lost and nothing panics.
    #[test]
    fn order_loses_nothing(text in "[a-c א-ג٠-٩ء-ي()\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200d}0-9.\u{301}👍]{0,30}") {
        use parlor_desktop::view::bidi::shown_order;
        let mut shown: Vec<char> = shown_order(&text).concat().chars().collect();
        let mut said: Vec<char> = text.chars().collect();
        shown.sort_unstable();
        said.sort_unstable();
        prop_assert_eq!(shown, said);
    }
}

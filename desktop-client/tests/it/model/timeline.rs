//! The run of rows itself.

use parlor_desktop::model::Timeline;
use parlor_shared::{Fact, Nth, Seq};

use super::person::{OTHER, event, words};

#[test]
fn rows_are_found_by_seq_whatever_was_added_where() {
    let mut timeline = Timeline::default();
    assert_eq!((timeline.first_seq(), timeline.last_seq()), (Seq(0), Seq(0)));
    for event in words(501..=600) {
        assert!(timeline.push(&event, Nth(500)));
    }
    assert!(timeline.prepend(&words(301..=500)));
    assert!(!timeline.prepend(&words(301..=500)), "a page is not taken twice");
    assert!(!timeline.prepend(&words(1..=299)), "a hole is not taken");
    assert!(!timeline.push(&words(602..=602)[0], Nth(0)));
    assert_eq!((timeline.first_seq(), timeline.last_seq()), (Seq(301), Seq(600)));
    for seq in 301..=600 {
        let index = timeline.index_of(Seq(seq)).expect("it is there");
        assert_eq!(timeline.seq_at(index), Seq(seq));
        let row = timeline.get(index).expect("it is there");
        assert_eq!(row.text(), Some(format!("word {seq}").as_str()));
        assert_eq!(timeline.seq_of_message(Nth(seq)), Some(Seq(seq)));
    }
    assert_eq!(timeline.index_of(Seq(300)), None);
    assert_eq!(timeline.index_of(Seq(601)), None);
    let before = timeline.version();
    timeline.keep_newest(50);
    assert!(timeline.version() > before);
    assert_eq!((timeline.first_seq(), timeline.len()), (Seq(551), 50));
    assert_eq!(timeline.seq_of_message(Nth(550)), None);
}

#[test]
fn messages_are_counted_across_what_is_no_message() {
    let mut timeline = Timeline::default();
    assert!(timeline.push(&event(4, OTHER, Fact::Joined {}), Nth(3)));
    assert!(timeline.prepend(&words(1..=3)));
    let counts: Vec<_> = timeline.iter().map(|(_, row)| row.nth.0).collect();
    assert_eq!(counts, [1, 2, 3, 3]);
}

#[test]
fn a_hundred_thousand_rows_are_added_at_both_ends() {
    let story = words(1..=100_000);
    let mut timeline = Timeline::default();
    for event in &story[50_000..] {
        assert!(timeline.push(event, Nth(50_000)));
    }
    for page in story[..50_000].rchunks(300) {
        assert!(timeline.prepend(page));
    }
    assert_eq!((timeline.len(), timeline.first_seq()), (100_000, Seq(1)));
    assert_eq!(timeline.get(99_999).and_then(|it| it.text()), Some("word 100000"));
}

//! The timeline, by what a screen reader says of it.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use parlor_desktop::model::{Failure, History, Intent, LinkState, PendingState, Room};
use parlor_desktop::words;
use parlor_shared::{Fact, Nth, Refusal, RoomId, Seq};

use crate::view_scene::{
    DAY, EVENING, LOBBY, MINUTE, Teller, client_id, crowd, evening, older, room, room_name, talking,
};
use crate::view_stage::{Stage, labels, said_of, stage, stage_of};

fn has(stage: &Stage, label: &str) -> bool {
    stage.query_by_label(label).is_some()
}

#[test]
fn a_message_is_its_author_time_and_text() {
    let mut model = talking("Ann");
    Teller::new(&mut model, LOBBY)
        .said(EVENING, 2, "Ben", "Hello")
        .said(EVENING + MINUTE, 2, "Ben", "two\nlines")
        .said(EVENING + 10 * MINUTE, 1, "Ann", "Hi");
    let stage = stage(model);
    assert!(has(&stage, "Ben, 18:53, Hello"));
    assert!(has(&stage, "Ben, 18:54, two\nlines"));
    assert!(has(&stage, "Ann, 19:03, Hi"));
    assert!(has(&stage, "Today"), "the day that it begins with");
}

#[test]
fn days_are_told_apart() {
    let mut model = talking("Ann");
    Teller::new(&mut model, LOBBY)
        .said(EVENING - 9 * DAY, 2, "Ben", "long ago")
        .said(EVENING - DAY, 2, "Ben", "lately")
        .said(EVENING, 2, "Ben", "now");
    let found = labels(&stage(model));
    let days: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .filter(|it| ["Sunday, 22 February", "Yesterday", "Today"].contains(it))
        .collect();
    assert_eq!(days, ["Sunday, 22 February", "Yesterday", "Today"], "in this order: {found:?}");
}

#[test]
fn comings_and_goings_are_one_line() {
    let mut model = talking("Ann");
    let mut teller = Teller::new(&mut model, LOBBY);
    for (user, name) in [(2, "Ben"), (3, "Cem"), (4, "Dora"), (5, "Emil"), (6, "Fatima")] {
        teller.joined(EVENING, user, name);
    }
    teller.left(EVENING, 6, "Fatima").left(EVENING, 7, "Grete");
    let stage = stage(model);
    let line = "Ben, Cem and 2 others joined · Grete left · Fatima came and went, 18:53";
    assert!(has(&stage, line), "{:?}", labels(&stage));
}

#[test]
fn what_is_too_new_says_so() {
    let mut model = talking("Ann");
    Teller::new(&mut model, LOBBY).event(EVENING, 2, "Ben", Fact::Unknown);
    assert!(labels(&stage(model)).iter().any(|it| it.starts_with(words::NEEDS_NEWER)));
}

#[test]
fn ones_own_message_says_how_far_it_came() {
    let mut model = talking("Ann");
    let failed = PendingState::Failed(Failure::Refused(Refusal::StorageFull));
    Teller::new(&mut model, LOBBY)
        .said(EVENING, 1, "Ann", "stored")
        .pending(EVENING, 1, "on its way", PendingState::Sent)
        .pending(EVENING, 2, "refused", failed);
    let mut stage = stage(model);
    assert!(has(&stage, "Ann, 18:53, stored"));
    assert!(has(&stage, "Ann, 18:53, on its way, sending"));
    assert!(has(&stage, "Ann, 18:53, refused, not sent"));
    assert!(has(&stage, "The server's disk is full. Nothing was stored."), "and why");
    stage.get_by_label(words::RETRY).click();
    stage.run();
    let retry = Intent::Retry { room: LOBBY, client_id: client_id(2) };
    assert_eq!(stage.state_mut().wishes(), [retry]);
    stage.get_by_label(words::DISCARD).click();
    stage.run();
    let discard = Intent::Discard { room: LOBBY, client_id: client_id(2) };
    assert_eq!(stage.state_mut().wishes(), [discard]);
}

#[test]
fn the_first_unread_message_has_a_line_above_it() {
    let mut model = talking("Ann");
    crowd(&mut model, 500);
    room(&mut model, LOBBY).divider = Some(Seq(300));
    let stage = stage(model);
    let line = stage.get_by_label(words::NEW_MESSAGES);
    assert!(
        line.rect().top() < 200.0,
        "reading goes on at the line, near the top: {:?}",
        line.rect()
    );
    assert!(
        stage.query_by_label(words::JUMP_TO_NEWEST).is_some()
            || labels(&stage).iter().any(|it| it.ends_with("messages below"))
    );
}

#[test]
fn links_show_where_they_lead() {
    let mut model = talking("Ann");
    Teller::new(&mut model, LOBBY).said(EVENING, 2, "Ben", "see https://example.org/plan.");
    let mut stage = stage(model);
    let link = stage.get_by_role_and_label(Role::Link, "https://example.org/plan");
    link.click();
    stage.step();
    let opened = stage.output().platform_output.commands.iter().any(
        |it| matches!(it, egui::OutputCommand::OpenUrl(it) if it.url == "https://example.org/plan"),
    );
    assert!(opened, "{:?}", stage.output().platform_output.commands);
}

#[test]
fn it_begins_at_the_end_and_follows_what_comes() {
    let mut model = talking("Ann");
    crowd(&mut model, 2_000);
    let mut stage = stage(model);
    Teller::new(&mut stage.state_mut().model, LOBBY).said(EVENING, 2, "Ben", "the newest");
    stage.run();
    let newest = stage.get_by_label("Ben, 18:53, the newest");
    assert!(newest.rect().bottom() < 700.0 && newest.rect().top() > 500.0, "{:?}", newest.rect());
    assert!(!has(&stage, words::JUMP_TO_NEWEST));
}

#[test]
fn scrolled_up_nothing_moves_when_something_comes_and_a_button_leads_back() {
    let mut model = talking("Ann");
    crowd(&mut model, 2_000);
    let mut stage = stage(model);
    stage.key_press(egui::Key::PageUp);
    stage.run();
    let before = messages(&stage);
    let mut teller = Teller::new(&mut stage.state_mut().model, LOBBY);
    teller.said(EVENING, 2, "Ben", "first news").said(EVENING, 2, "Ben", "second news");
    stage.run();
    assert_eq!(messages(&stage), before, "nothing moved");
    let button = labels(&stage).into_iter().find(|it| it.ends_with("messages below"));
    let button = button.expect("a button that says how many are below");
    stage.get_by_label(&button).click();
    stage.run();
    assert!(has(&stage, "Ben, 18:53, second news"));
}

/// The messages in view and where they are.
fn messages(stage: &Stage) -> Vec<(String, i32)> {
    let is_message = |it: &String| it.contains(", ") && it.contains(':');
    stage
        .get_all_by_role(Role::Label)
        .filter_map(|it| Some((said_of(&it).filter(is_message)?, it.rect().top().round() as i32)))
        .collect()
}

#[test]
fn older_messages_are_asked_for_near_the_top_and_move_nothing() {
    let mut model = talking("Ann");
    let lobby = room(&mut model, LOBBY);
    lobby.history = History::More;
    lobby.last_nth = Nth(1_000);
    let first = older(1_001, 1_001, EVENING, 2, "Ben", "the oldest that is here");
    assert!(lobby.timeline.push(&first, Nth(1_000)));
    let mut teller = Teller::new(&mut model, LOBBY);
    teller.said(EVENING + MINUTE, 2, "Ben", "a second one");
    for _ in 0..60 {
        teller.said(EVENING + 20 * MINUTE, 3, "Cem", "filler that is long enough for one line");
    }
    let mut stage = stage(model);
    stage.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Home);
    stage.run();
    assert!(stage.state().intents.contains(&Intent::LoadOlder(LOBBY)));
    let before = stage.get_by_label("Ben, 18:54, a second one").rect();
    let page: Vec<_> = (801..=1_000)
        .map(|seq| older(seq, seq, EVENING - 1, 2, "Ben", "older\nand of two lines"))
        .collect();
    assert!(room(&mut stage.state_mut().model, LOBBY).timeline.prepend(&page));
    stage.run();
    let after = stage.get_by_label("Ben, 18:54, a second one").rect();
    assert_eq!(before.round(), after.round(), "the message under the eye moved");
    let is_older = |it: &String| it == "Ben, 18:52, older\nand of two lines";
    assert!(labels(&stage).iter().any(is_older), "and the older ones are above");
}

#[test]
fn older_messages_are_not_asked_for_twice() {
    let mut model = talking("Ann");
    Teller::new(&mut model, LOBBY).said(EVENING, 2, "Ben", "the only one");
    for history in [History::Loading, History::Complete, History::Full] {
        let mut model = model.clone();
        room(&mut model, LOBBY).history = history;
        let stage = stage(model);
        assert!(!stage.state().intents.contains(&Intent::LoadOlder(LOBBY)), "{history:?}");
    }
}

#[test]
fn what_was_seen_is_reported_once() {
    let mut model = talking("Ann");
    Teller::new(&mut model, LOBBY).said(EVENING, 2, "Ben", "unread");
    let lobby = room(&mut model, LOBBY);
    (lobby.read_seq, lobby.read_nth) = (Seq(0), Nth(0));
    let mut stage = stage(model);
    stage.run_steps(3);
    let seen = Intent::Seen { room: LOBBY, seq: Seq(1) };
    assert_eq!(stage.state().intents.iter().filter(|it| **it == seen).count(), 1);
}

#[test]
fn an_empty_room_says_so() {
    let stage = stage(talking("Ann"));
    assert!(has(&stage, words::NOTHING_SAID));
    let mut model = talking("Ann");
    room(&mut model, LOBBY).history = History::Loading;
    assert!(has(&stage_of(model.clone(), [900.0, 600.0]), words::LOADING));
    model.link = LinkState::Offline { retry_at: None };
    assert!(labels(&stage_of(model, [900.0, 600.0])).iter().any(|it| it == words::OFFLINE));
}

#[test]
fn one_of_everything_is_labelled_at_every_width() {
    for width in [480.0, 640.0, 700.0, 900.0, 1_200.0, 1_900.0] {
        // The harness complains about each control without a name.
        let stage = stage_of(evening("Ann"), [width, 740.0]);
        let field = stage.get_by_role_and_label(Role::MultilineTextInput, words::MESSAGE);
        assert!(field.rect().right() <= width, "{:?} in a window of {width}", field.rect());
        assert!(field.rect().width() > 300.0, "{:?} in a window of {width}", field.rect());
    }
}

#[test]
fn a_narrow_window_keeps_its_rooms_and_people_behind_buttons() {
    let mut stage = stage_of(evening("Ann"), [480.0, 740.0]);
    assert!(stage.query_by_label("garden, 3 unread").is_none());
    stage.get_by_label(words::ROOMS).click();
    stage.run();
    stage.get_by_label("garden, 3 unread").click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::Select(RoomId(2))]);
    stage.get_by_label(words::PEOPLE).click();
    stage.run();
    assert!(has(&stage, "Grete, away"));
    stage.get_by_label(words::BACK).click();
    stage.run();
    assert!(!has(&stage, "Grete, away"));
}

#[test]
fn a_hundred_thousand_messages_are_only_those_in_view() {
    let mut model = talking("Ann");
    crowd(&mut model, 100_000);
    let mut stage = stage(model);
    assert!(messages(&stage).len() < 60);
    for key in [egui::Key::PageUp; 5] {
        stage.key_press(key);
        stage.run();
        assert!((5..60).contains(&messages(&stage).len()));
    }
}

#[test]
fn each_room_keeps_its_place() {
    let mut model = talking("Ann");
    crowd(&mut model, 2_000);
    let mut garden = Room::new(room_name("garden"));
    garden.history = History::Complete;
    model.rooms.insert(RoomId(2), garden);
    let mut stage = stage(model);
    stage.key_press(egui::Key::PageUp);
    stage.run();
    let before = messages(&stage);
    stage.state_mut().model.selected = Some(RoomId(2));
    stage.run();
    assert!(has(&stage, words::NOTHING_SAID));
    stage.state_mut().model.selected = Some(LOBBY);
    stage.run();
    assert_eq!(messages(&stage), before);
}

#[test]
fn the_scroll_bar_leads_from_end_to_end() {
    let mut model = talking("Ann");
    crowd(&mut model, 2_000);
    room(&mut model, LOBBY).history = History::More;
    let mut stage = stage(model);
    let bar = stage.get_by_label(words::SCROLL_POSITION).rect();
    let (top, bottom) =
        (bar.center_top() + egui::vec2(0.0, 2.0), bar.center_bottom() - egui::vec2(0.0, 2.0));
    stage.hover_at(bottom);
    stage.run();
    stage.drag_at(bottom);
    stage.run();
    assert!(!stage.state().intents.contains(&Intent::LoadOlder(LOBBY)));
    stage.hover_at(bar.center());
    stage.run();
    assert!(
        !has(&stage, words::JUMP_TO_NEWEST)
            && labels(&stage).iter().any(|it| it.ends_with("messages below"))
    );
    stage.hover_at(top);
    stage.run();
    assert!(stage.state().intents.contains(&Intent::LoadOlder(LOBBY)), "the oldest is in view");
    stage.hover_at(bottom);
    stage.run();
    stage.drop_at(bottom);
    stage.run();
    assert!(!labels(&stage).iter().any(|it| it.ends_with("messages below")), "back at the end");
}

#[test]
fn any_script_and_any_mixture_is_drawn() {
    let mut model = talking("Ann");
    let mut teller = Teller::new(&mut model, LOBBY);
    for says in [
        "שלום (עולם), and 7:30 \u{202e}reversed\u{202c}\nשורה שנייה",
        "مرحبا بكم https://example.org/عربي ثم (7:30)",
        "नमस्ते 日本語 한국어 👨‍👩‍👧‍👦 e\u{301}\u{301}\u{301} \u{200d}\u{200b}",
        "אבגדהוזחטיכלמנסעפצקרשתאבגדהוזחטיכלמנסעפצקרשתאבגדהוזחטיכלמנסעפצקרשתאבגדהוזחטיכלמנסעפצקרשתאבגדהוזחטיכלמנסעפצקרשת",
        "\u{2067}isolate\u{2069} ע\tb",
    ] {
        teller.said(EVENING, 2, "שרה Ben", says);
    }
    for width in [480.0, 1_120.0] {
        let stage = stage_of(model.clone(), [width, 740.0]);
        assert_eq!(messages(&stage).len(), 5);
    }
}

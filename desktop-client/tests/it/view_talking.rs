//! Rooms, people, the composer, the status line and the dialogs, by accessible label.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use parlor_desktop::model::{Intent, LinkState, Member, Question, Room, Trouble};
use parlor_desktop::view::clean_paste;
use parlor_desktop::words;
use parlor_shared::limits::TEXT_BYTES_MAX;
use parlor_shared::{Nth, Refusal, RoomId, RoomRole, UserId};

use crate::view_scene::{LOBBY, listed, room, room_name, talking, user_name};
use crate::view_stage::{Stage, labels, stage};

fn composer(stage: &Stage) -> egui_kittest::Node<'_> {
    stage.get_by_role_and_label(Role::MultilineTextInput, words::MESSAGE)
}

fn draft(stage: &mut Stage) -> String {
    room(&mut stage.state_mut().model, LOBBY).draft.clone()
}

fn says(stage: &mut Stage) -> Vec<String> {
    let wishes = stage.state_mut().wishes().into_iter();
    wishes
        .filter_map(|it| if let Intent::Say { text, .. } = it { Some(text) } else { None })
        .collect()
}

#[test]
fn enter_sends_and_shift_enter_breaks() {
    let mut stage = stage(talking("Ann"));
    assert!(composer(&stage).is_focused(), "one can write at once");
    composer(&stage).type_text("one");
    stage.run();
    stage.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::Enter);
    stage.run();
    composer(&stage).type_text("two");
    stage.run();
    assert_eq!(draft(&mut stage), "one\ntwo");
    assert_eq!(says(&mut stage), [""; 0]);
    stage.key_press(egui::Key::Enter);
    stage.run();
    assert_eq!(says(&mut stage), ["one\ntwo"]);
    assert_eq!(draft(&mut stage), "one\ntwo", "the draft is the model's to empty");
    assert!(composer(&stage).is_focused());
}

#[test]
fn enter_that_ends_a_composition_does_not_send() {
    let mut stage = stage(talking("Ann"));
    composer(&stage).type_text("に");
    stage.run();
    // Both in one frame, as some systems report the key that ends a composition.
    stage.input_mut().events.push(egui::Event::Ime(egui::ImeEvent::Commit("日本".to_owned())));
    stage.input_mut().events.push(egui::Event::Key {
        key: egui::Key::Enter,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: egui::Modifiers::NONE,
    });
    stage.run();
    assert_eq!(says(&mut stage), [""; 0]);
}

#[test]
fn nothing_to_see_is_not_sent() {
    let mut stage = stage(talking("Ann"));
    room(&mut stage.state_mut().model, LOBBY).draft = " \n\u{200b}".to_owned();
    stage.run();
    assert!(stage.get_by_label(words::SEND).accesskit_node().is_disabled());
    stage.key_press(egui::Key::Enter);
    stage.run();
    assert_eq!(says(&mut stage), [""; 0]);
}

#[test]
fn the_end_of_a_message_is_counted_and_then_refused() {
    let mut stage = stage(talking("Ann"));
    room(&mut stage.state_mut().model, LOBBY).draft = "a".repeat(TEXT_BYTES_MAX - 10);
    stage.run();
    assert!(stage.query_by_label("10 bytes left").is_some());
    room(&mut stage.state_mut().model, LOBBY).draft = "a".repeat(TEXT_BYTES_MAX + 3);
    stage.run();
    assert!(labels(&stage).iter().any(|it| it.starts_with("3 bytes too long")));
    stage.key_press(egui::Key::Enter);
    stage.run();
    assert_eq!(says(&mut stage), [""; 0]);
}

#[test]
fn what_is_pasted_is_cleaned() {
    assert_eq!(clean_paste("a\r\nb\rc\u{0}\u{1b}[31m\td\u{85}"), "a\nb\nc[31m\td");
    let mut stage = stage(talking("Ann"));
    stage.event(egui::Event::Paste("one\r\ntwo\u{7}".to_owned()));
    stage.run();
    assert_eq!(draft(&mut stage), "one\ntwo");
}

#[test]
fn a_long_draft_grows_to_eight_lines_and_no_further() {
    let mut stage = stage(talking("Ann"));
    let height = |stage: &mut Stage, lines: usize| {
        room(&mut stage.state_mut().model, LOBBY).draft = vec!["x"; lines].join("\n");
        stage.run();
        let send = stage.get_by_label(words::SEND).rect();
        assert!(send.bottom() < 740.0, "{send:?}");
        let top = stage.get_by_label(words::NOTHING_SAID).rect().center().y;
        740.0 - top
    };
    let (one, five) = (height(&mut stage, 1), height(&mut stage, 5));
    let (eight, many) = (height(&mut stage, 9), height(&mut stage, 200));
    assert!(one < five && five < eight, "{one} {five} {eight}");
    assert!((eight - many).abs() < 2.0, "{eight} {many}");
}

#[test]
fn rooms_say_what_is_unread_and_open() {
    let mut model = talking("Ann");
    let mut garden = Room::new(room_name("garden"));
    garden.last_nth = Nth(4);
    model.rooms.insert(RoomId(2), garden);
    let mut stage = stage(model);
    stage.get_by_label("garden, 4 unread").click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::Select(RoomId(2))]);
}

#[test]
fn a_room_is_made_or_joined_by_name_or_from_the_list() {
    let mut model = talking("Ann");
    listed(&mut model, 9, "cooking", 12);
    let mut stage = stage(model);
    stage.get_by_label(words::ADD_ROOM).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::ListRooms], "the list is asked for");
    let field = stage.get_by_role_and_label(Role::TextInput, words::ROOM_NAME);
    assert!(field.is_focused());
    field.type_text("kitchen");
    stage.run();
    stage.key_press(egui::Key::Enter);
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::OpenRoom { name: "kitchen".to_owned() }]);
    assert!(stage.query_by_label(words::ROOM_NAME).is_none(), "and it is gone");
    stage.get_by_label(words::ADD_ROOM).click();
    stage.run();
    stage.get_by_label("Join cooking, 12 members").click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::ListRooms, Intent::JoinRoom(RoomId(9))]);
}

#[test]
fn people_are_here_or_away() {
    let mut model = talking("Ann");
    let members = &mut room(&mut model, LOBBY).members;
    members.insert(
        UserId(2),
        Member { name: user_name("Ben"), here: true, role: RoomRole::Member, muted: false },
    );
    members.insert(
        UserId(3),
        Member { name: user_name("Cem"), here: false, role: RoomRole::Member, muted: false },
    );
    let found = labels(&stage(model));
    let order: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .filter(|it| it.ends_with(", here") || it.ends_with(", away") || it.contains('—'))
        .collect();
    assert_eq!(order, ["Here — 2", "Ann (you), here", "Ben, here", "Away — 1", "Cem, away"]);
    assert!(found.contains(&"2 of 3 here".to_owned()));
}

#[test]
fn a_lost_connection_is_a_quiet_line_that_counts_down() {
    let mut model = talking("Ann");
    model.link = LinkState::Offline { retry_at: Some(4_000) };
    let mut stage = stage(model);
    assert!(stage.query_by_label("Connection lost. Trying again in 4 s").is_some());
    stage.state_mut().screen.millis = 2_500;
    stage.step();
    assert!(stage.query_by_label("Connection lost. Trying again in 2 s").is_some());
    stage.get_by_label(words::TRY_NOW).click();
    stage.step();
    stage.step();
    assert_eq!(stage.state_mut().wishes(), [Intent::ConnectNow]);
    stage.state_mut().model.link = LinkState::Connecting;
    stage.run();
    assert!(stage.query_by_label(words::CONNECTING).is_some());
    stage.state_mut().model.link = LinkState::Online;
    stage.run();
    assert!(stage.query_by_label(words::CONNECTING).is_none());
}

#[test]
fn trouble_can_be_dismissed() {
    let mut model = talking("Ann");
    model.trouble = Some(Trouble::RoomRefused(Refusal::TooManyRooms));
    let mut stage = stage(model);
    assert!(stage.query_by_label("This server has no room for more rooms.").is_some());
    stage.get_by_label(words::DISMISS).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::Dismiss]);
}

#[test]
fn one_can_sign_out_and_sees_who_one_is() {
    let mut stage = stage(talking("Ann"));
    assert!(stage.query_by_label(&words::account::your_account("Ann")).is_some());
    stage.get_by_label(words::SIGN_OUT).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::SignOut]);
}

#[test]
fn closing_with_others_inside_is_asked_about() {
    for (button, intent) in [(words::STAY, Intent::Stay), (words::CLOSE_ANYWAY, Intent::QuitAnyway)]
    {
        let mut model = talking("Ann");
        model.asking = Some(Question::CloseWithOthersInside { others: 3 });
        let mut stage = stage(model);
        assert!(labels(&stage).iter().any(|it| it.starts_with("3 others are inside")));
        stage.get_by_label(button).click();
        stage.run();
        assert_eq!(stage.state_mut().wishes(), [intent]);
    }
}

#[test]
fn the_one_who_serves_sees_what_others_type() {
    let mut model = talking("Ann");
    model.hosting = Some(vec!["192.168.1.5".to_owned()]);
    assert!(labels(&stage(model)).iter().any(|it| it.ends_with("Others join at 192.168.1.5")));
}

#[test]
fn nothing_repaints_while_nothing_happens() {
    let mut model = talking("Ann");
    crate::view_scene::crowd(&mut model, 500);
    let mut stage = stage(model);
    assert!(composer(&stage).is_focused(), "with the caret in the composer");
    stage.run();
    let delay = stage.output().viewport_output.values().map(|it| it.repaint_delay).min();
    assert_eq!(delay, Some(std::time::Duration::MAX));
}

#[test]
fn a_room_can_be_left_but_the_lobby_cannot() {
    let mut model = talking("Ann");
    model.rooms.insert(RoomId(2), Room::new(room_name("garden")));
    let mut stage = stage(model);
    assert!(stage.query_by_label(words::LEAVE_ROOM).is_none());
    stage.state_mut().model.selected = Some(RoomId(2));
    stage.run();
    stage.get_by_label(words::LEAVE_ROOM).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::LeaveRoom(RoomId(2))]);
}

//! The question about a changed key, by what a screen reader reads.

use egui::Key;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use parlor_desktop::model::{Intent, LinkState};
use parlor_desktop::words;

use crate::view_scene::{KEY, OTHER_KEY, asked_about_key as asked, fresh, talking};
use crate::view_stage::{labels, stage};

#[test]
fn both_keys_are_shown_in_words_and_digits_in_both_windows() {
    for model in [asked(fresh()), asked(talking("Ann"))] {
        let said = labels(&stage(model)).join("\n");
        for key in [KEY, OTHER_KEY] {
            assert!(said.contains(&key.words()) && said.contains(&key.hex()), "{said}");
        }
        assert!(said.contains("The server at office has another key"), "{said}");
    }
}

#[test]
fn not_connecting_has_the_focus_and_the_escape_key() {
    let mut stage = stage(asked(talking("Ann")));
    assert!(stage.get_by_label(words::KEY_REFUSE).is_focused());
    stage.key_press(Key::Enter);
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::RefuseKey]);
    stage.key_press(Key::Escape);
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::RefuseKey]);
}

#[test]
fn trusting_takes_two_steps_each_time() {
    let mut stage = stage(asked(fresh()));
    let may_trust = |stage: &crate::view_stage::Stage| {
        !stage.get_by_label(words::KEY_TRUST).accesskit_node().is_disabled()
    };
    assert!(!may_trust(&stage));
    stage.get_by_label(words::KEY_TRUST).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), []);
    stage.get_by_label(words::KEY_ASKED).click();
    stage.run();
    assert!(may_trust(&stage));
    stage.get_by_label(words::KEY_TRUST).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::TrustKey]);
    // The next time it is another question.
    stage.state_mut().model.key_changed = None;
    stage.run();
    stage.state_mut().model = asked(fresh());
    stage.run();
    assert!(!may_trust(&stage));
}

#[test]
fn the_key_of_the_connection_can_be_looked_up_and_compared() {
    let mut stage = stage(talking("Ann"));
    assert!(stage.query_by_label(&KEY.words()).is_none());
    stage.get_by_label(words::CONNECTION).click();
    stage.run();
    let said = labels(&stage).join("\n");
    assert!(said.contains(&KEY.words()) && said.contains(&KEY.hex()), "{said}");
}

#[test]
fn losing_the_connection_does_not_turn_its_popup_into_the_next_button_s_menu() {
    let mut stage = stage(talking("Ann"));
    stage.get_by_label(words::CONNECTION).click();
    stage.run();
    let model = &mut stage.state_mut().model;
    (model.link, model.key) = (LinkState::Offline { retry_at: None }, None);
    stage.run();
    let said = labels(&stage);
    assert!(!said.iter().any(|it| it == words::THEME_DARK), "{said:?}");
    assert!(!said.join(" ").contains(&KEY.words()), "it is not connected to that key any more");
}

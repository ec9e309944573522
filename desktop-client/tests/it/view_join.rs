//! The join dialog, by what a screen reader says of it.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use parlor_desktop::model::{Address, Intent, Joining, Trouble};
use parlor_desktop::words;
use parlor_shared::Refusal;

use crate::view_scene::{fresh, joining, user_name};
use crate::view_stage::{Stage, labels, stage};

fn address() -> Address {
    "office:7667".parse().expect("an address")
}

fn field<'a>(stage: &'a Stage, label: &'a str) -> egui_kittest::Node<'a> {
    stage.get_by_role_and_label(Role::TextInput, label)
}

#[test]
fn a_name_and_an_address_join() {
    let mut stage = stage(fresh());
    assert!(field(&stage, words::YOUR_NAME).is_focused(), "one begins with the name");
    assert!(stage.get_by_label(words::JOIN).accesskit_node().is_disabled(), "nothing to join yet");
    field(&stage, words::YOUR_NAME).type_text("Ann");
    stage.run();
    field(&stage, words::SERVER_ADDRESS).click();
    stage.run();
    field(&stage, words::SERVER_ADDRESS).type_text("192.168.1.5");
    stage.run();
    stage.get_by_label(words::JOIN).click();
    stage.run();
    let join = Intent::Join { name: "Ann".to_owned(), address: "192.168.1.5".to_owned() };
    assert_eq!(stage.state_mut().wishes(), [join]);
}

#[test]
fn enter_joins_from_either_field() {
    for label in [words::YOUR_NAME, words::SERVER_ADDRESS] {
        let model = joining(Joining {
            name: "Ann".to_owned(),
            address: "office".to_owned(),
            ..Joining::default()
        });
        let mut stage = stage(model);
        field(&stage, label).click();
        stage.run();
        stage.key_press(egui::Key::Enter);
        stage.run();
        let join = Intent::Join { name: "Ann".to_owned(), address: "office".to_owned() };
        assert_eq!(stage.state_mut().wishes(), [join], "from {label}");
    }
}

#[test]
fn the_focus_begins_in_the_first_empty_field() {
    let named = Joining { name: "Ann".to_owned(), ..Joining::default() };
    assert!(field(&stage(joining(named)), words::SERVER_ADDRESS).is_focused());
}

#[test]
fn a_chat_of_ones_own_says_what_it_is_and_needs_a_name() {
    let mut stage = stage(fresh());
    assert!(
        labels(&stage).iter().any(|it| it.contains("port 7666") && it.contains("local network"))
    );
    assert!(stage.get_by_label(words::HOST_HERE).accesskit_node().is_disabled());
    field(&stage, words::YOUR_NAME).type_text("Ann");
    stage.run();
    stage.get_by_label(words::HOST_HERE).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::HostHere { name: "Ann".to_owned() }]);
}

#[test]
fn every_failure_is_a_sentence_that_says_what_to_do() {
    let failures = [
        (Trouble::NobodyAnswers(address()), "Nobody answers at office:7667"),
        (Trouble::NotParlor(address()), "is not a Parlor"),
        (Trouble::NoSuchHost(address()), "no computer called"),
        (Trouble::BadAddress, "not an address"),
        (Trouble::BadName(Refusal::NameReserved), "reserved"),
        (Trouble::OtherVersion { speaks: 99 }, "newer"),
        (Trouble::TokenUnknown, "Join again"),
        (Trouble::ConnectionLost, "connection was lost"),
        (Trouble::Host("The port is taken.".to_owned()), "The port is taken."),
    ];
    for (trouble, says) in failures {
        let model = joining(Joining {
            name: "Ann".to_owned(),
            address: "office:7667".to_owned(),
            refused: Some(trouble.clone()),
            ..Joining::default()
        });
        let stage = stage(model);
        assert!(
            labels(&stage).iter().any(|it| it.contains(says)),
            "{trouble:?}: {:?}",
            labels(&stage)
        );
    }
}

#[test]
fn a_taken_name_comes_with_a_free_one() {
    let model = joining(Joining {
        name: "Ann".to_owned(),
        address: "office".to_owned(),
        refused: Some(Trouble::NameTaken {
            name: "Ann".to_owned(),
            suggestion: Some(user_name("Ann 2")),
        }),
        suggestion: Some(user_name("Ann 2")),
        ..Joining::default()
    });
    let mut stage = stage(model);
    stage.get_by_label(&words::take_name("Ann 2")).click();
    stage.run();
    let join = Intent::Join { name: "Ann 2".to_owned(), address: "office".to_owned() };
    assert_eq!(stage.state_mut().wishes(), [join]);
}

#[test]
fn a_chat_that_this_computer_serves_already_is_offered() {
    let model =
        joining(Joining { name: "Ann".to_owned(), offer: Some(address()), ..Joining::default() });
    let mut stage = stage(model);
    stage.get_by_label(&words::join_offer("office:7667")).click();
    stage.run();
    let join = Intent::Join { name: "Ann".to_owned(), address: "office:7667".to_owned() };
    assert_eq!(stage.state_mut().wishes(), [join]);
}

#[test]
fn a_try_can_be_given_up() {
    let model = joining(Joining { name: "Ann".to_owned(), busy: true, ..Joining::default() });
    let mut stage = stage(model);
    assert!(stage.query_by_label(words::JOIN).is_none(), "not twice at once");
    stage.get_by_label(words::CANCEL).click();
    stage.run();
    assert_eq!(stage.state_mut().wishes(), [Intent::Cancel]);
}

#[test]
fn remembered_addresses_are_a_click_away() {
    let mut stage = stage(fresh());
    stage.state_mut().screen.remembered = vec![address()];
    stage.run();
    stage.get_by_label("office:7667").click();
    stage.run();
    field(&stage, words::YOUR_NAME).click();
    stage.run();
    field(&stage, words::YOUR_NAME).type_text("Ann");
    stage.run();
    stage.get_by_label(words::JOIN).click();
    stage.run();
    let join = Intent::Join { name: "Ann".to_owned(), address: "office:7667".to_owned() };
    assert_eq!(stage.state_mut().wishes(), [join]);
}

#[test]
fn signed_out_one_finds_ones_name_and_address() {
    let mut stage = stage(crate::view_scene::talking("Ann"));
    let remembered =
        Joining { name: "Ann".to_owned(), address: "office".to_owned(), ..Joining::default() };
    stage.state_mut().model = joining(remembered);
    stage.run();
    stage.get_by_label(words::JOIN).click();
    stage.run();
    let join = Intent::Join { name: "Ann".to_owned(), address: "office".to_owned() };
    assert_eq!(stage.state_mut().wishes(), [join]);
}

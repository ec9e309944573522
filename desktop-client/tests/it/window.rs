//! The whole app in a real window, against a real server, with a keyboard and a camera.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use parlor_desktop::view::theme::{DARK, hue_of};
use parlor_shared::UserId;

use crate::window_desktop::{Desktop, Served, Somebody};

/// What is drawn of a conversation of the first two users of a server.
fn is_talking(desktop: &Desktop) -> bool {
    let picture = |user| desktop.count(DARK.avatars[hue_of(UserId(user))]);
    desktop.count(DARK.canvas) > 100_000
        && desktop.count(DARK.side) > 50_000
        && desktop.count(DARK.accent_soft) > 1_000
        && picture(1) > 300
        && picture(2) > 300
}

#[test]
fn two_people_talk_and_history_is_there_without_a_server() {
    let desktop = Desktop::new();
    let served = Served::start(desktop.folder());
    let plain = format!("plain://{}", served.address);
    let join = ["--server", &plain, "--name", "Ann"];
    let app = desktop.app("ann", &join);
    desktop.focus(&app);
    let mut ben = desktop.wait_for("the server", || Somebody::arrive(&served.address, "Ben"));
    ben.say("Hello Ann, it is Ben.");
    desktop.wait_for("a picture of the conversation", || is_talking(&desktop).then_some(()));
    desktop.type_text("Hello Ben");
    desktop.key("shift+Return");
    desktop.type_text("two lines");
    desktop.key("Return");
    ben.hears("Hello Ben\ntwo lines");
    assert!(!desktop.is_blank());

    // As if the power had gone, and the server with it: what was read is there at once.
    app.kill();
    served.stop();
    desktop.wait_for("an empty screen", || (desktop.count(DARK.canvas) == 0).then_some(()));
    let app = desktop.app("ann", &[]);
    desktop.focus(&app);
    desktop.wait_for("history without a server", || is_talking(&desktop).then_some(()));
    desktop.wait_for("the quiet line", || (desktop.count(DARK.warning_soft) > 5_000).then_some(()));
}

#[test]
fn a_chat_is_started_with_a_name_and_a_key_and_ends_with_the_app() {
    let desktop = Desktop::new();
    let address = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let address = address.to_string();
    let app = desktop.app("host", &["--serve-at", &address]);
    desktop.focus(&app);
    desktop.wait_for("the join dialog", || (desktop.count(DARK.raised) > 50_000).then_some(()));
    desktop.key_and_see("A");
    desktop.key_and_see("n");
    desktop.key_and_see("n");
    // Past the address and the way in with a password to the button; without an address Join is
    // passed over.
    desktop.key_and_see("Tab");
    desktop.key_and_see("Tab");
    desktop.key_and_see("Tab");
    desktop.key("space");
    let mut ben = desktop.wait_for("the chat", || Somebody::arrive(&address, "Ben"));
    ben.say("Nice place.");
    desktop.wait_for("a picture of the conversation", || is_talking(&desktop).then_some(()));
    desktop.type_text("Welcome!");
    desktop.key("Return");
    ben.hears("Welcome!");
    // However the app ends, it leaves no server behind.
    app.kill();
    desktop.wait_for("the end of the chat", || TcpStream::connect(&address).err());
}

/// Runs the app to its end: (succeeded, what it said on standard error).
fn run(command: &mut Command) -> (bool, String) {
    let done = command.stdin(Stdio::null()).output().expect("the app starts");
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn without_a_display_there_is_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut app = Command::new(env!("CARGO_BIN_EXE_parlor"));
    app.arg("--data-dir").arg(folder.path());
    app.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    let (is_success, says) = run(&mut app);
    assert!(!is_success);
    assert!(says.contains("parlor: No window can be opened") && says.contains("libegl1"), "{says}");
}

#[test]
fn a_profile_in_use_is_a_sentence() {
    let desktop = Desktop::new();
    let app = desktop.app("ann", &[]);
    desktop.focus(&app);
    let mut second = Command::new(env!("CARGO_BIN_EXE_parlor"));
    second.arg("--data-dir").arg(desktop.folder().join("app")).args(["--profile", "ann"]);
    let (is_success, says) = run(&mut second);
    assert!(!is_success);
    assert!(says.contains("--profile NAME"), "{says}");
}

#[test]
fn a_profile_is_no_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut app = Command::new(env!("CARGO_BIN_EXE_parlor"));
    app.arg("--data-dir").arg(folder.path()).args(["--profile", "../elsewhere"]);
    let (is_success, says) = run(&mut app);
    assert!(!is_success);
    assert!(says.contains("so “../elsewhere” is none"), "{says}");
    assert!(!folder.path().join("elsewhere").exists());
}

/// The first news of a chat that is to be served there.
fn first_news(folder: &std::path::Path, at: &str) -> parlor_desktop::host::News {
    use parlor_desktop::host::{Host, Plan};
    let plan = Plan {
        program: env!("CARGO_BIN_EXE_parlor").into(),
        arguments: vec!["--serve".into()],
        kept_in: Some(folder.join("second")),
        bind: at.parse().ok(),
    };
    let (wake, woken) = crossbeam_channel::bounded(8);
    let waker = std::sync::Arc::new(move || wake.try_send(()).unwrap_or_default());
    let host = Host::start(plan, waker).expect("a thread");
    woken.recv_timeout(std::time::Duration::from_secs(60)).expect("news");
    host.try_recv().expect("news")
}

#[test]
fn a_second_chat_on_one_computer_is_offered_instead() {
    use parlor_desktop::host::News;
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::start(folder.path());
    let news = first_news(folder.path(), &served.address);
    assert!(matches!(news, News::ServesAlready { .. }), "{news:?}");
    served.stop();
}

#[test]
fn a_chat_that_cannot_be_served_says_why() {
    use parlor_desktop::host::{End, News};
    let folder = tempfile::tempdir().expect("a folder");
    // Somebody who listens, and is no Parlor.
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = other.local_addr().expect("its address").to_string();
    let news = first_news(folder.path(), &at);
    let News::Ended(End::Refused(says)) = &news else { panic!("{news:?}") };
    assert!(says.contains(&at), "{says}");
}

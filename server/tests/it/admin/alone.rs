//! Wrong usage, no server, somebody else's credential, and a server that is none.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::harness::copy_folder;

#[test]
fn a_wrong_command_line_is_told_so_and_changes_nothing() {
    let (folder, server) = started();
    let data = folder.path();
    server.guest("ann");
    for (words, sentence) in [
        (&["dance"][..], "unrecognized subcommand"),
        (&[], "Usage: parlor-server admin"),
        (&["role", "ann", "king"], "possible values: guest, member, admin, owner"),
        (&["mute", "ann", "--for", "1y"], "as in 10m, 2h, 3d or 1w; or forever"),
        (&["mute", "ann", "--for", "0m"], "no time at all"),
        (&["mute", "ann", "--reason", "a\u{1b}[2J"], "Control characters are not allowed"),
        (&["ban", "10.0.0.0/33"], "no range of addresses"),
        (&["ban", "10.0.0.0/8", "--room", "lobby"], "leave --room out"),
        (&["policy", "--entry", "closed"], "possible values: open, registered, invite"),
        (&["unban", "one"], "invalid digit"),
        (&["invite", "--uses", "0"], "0 is not in 1.."),
        (&["kick", "lobby"], "required arguments"),
        (&["users", "--bind", "127.0.0.1:0"], "unexpected argument"),
    ] {
        let told = admin(data, words);
        assert_eq!((told.code, told.out.as_str()), (Some(64), ""), "{words:?}: {}", told.err);
        assert!(told.err.contains(sentence), "{words:?}: {}", told.err);
    }
    assert_eq!(done(data, &["audit"]), "Nothing was done yet.\n");
    server.stop();
}

#[test]
fn the_help_tells_every_command_and_nothing_of_how_to_serve() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = done(folder.path(), &["--help"]);
    for command in [
        "users",
        "rooms",
        "sessions",
        "end-session",
        "end-sessions",
        "role",
        "room-role",
        "kick",
        "ban",
        "unban",
        "bans",
        "mute",
        "unmute",
        "erase",
        "end-room",
        "announce",
        "audit",
        "policy",
        "invite",
        "invites",
        "cancel-invite",
        "reset-code",
        "storage",
        "backup-now",
    ] {
        let is_told = help.lines().any(|it| it.split_whitespace().next() == Some(command));
        assert!(is_told, "{command}: {help}");
        let own = done(folder.path(), &[command, "--help"]);
        assert!(own.contains(&format!("Usage: parlor-server admin {command}")), "{own}");
        assert!(!own.contains("--smtp") && !own.contains("--limit"), "{own}");
    }
}

#[test]
fn without_a_server_it_says_which_folder_has_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("not made");
    let sentence = format!("no server runs on the data folder {}", nowhere.display());
    refused(&nowhere, &["users"], 69, &sentence);
    assert!(!nowhere.exists(), "looking makes nothing");
    // One that stopped, and one that was killed and could not take its credential with it.
    let data = folder.path().join("data");
    Setup::on(&data).start().stop();
    refused(&data, &["users"], 69, "no server runs on the data folder");
    Setup::on(&data).start().kill();
    assert!(data.join("shell.json").exists());
    refused(&data, &["users"], 69, "no server runs on the data folder");
    // The folder can also be named behind the command.
    let server = Setup::on(&data).start();
    let there = data.to_str().expect("UTF-8");
    done(&nowhere, &["users", "--data", there]);
    done(&nowhere, &["--data", there, "users"]);
    server.stop();
}

#[test]
fn a_copied_folder_does_not_lead_to_the_server_that_it_was_copied_from() {
    let (folder, server) = started();
    let copy = tempfile::tempdir().expect("a folder");
    let copy = copy.path().join("copy");
    copy_folder(folder.path(), &copy);
    assert!(copy.join("shell.json").exists());
    refused(&copy, &["announce", "I am elsewhere"], 69, "no server runs on the data folder");
    assert_eq!(done(folder.path(), &["audit"]), "Nothing was done yet.\n");
    server.stop();
}

#[test]
fn a_credential_that_is_none_is_told_apart_from_no_server() {
    let (folder, server) = started();
    let data = folder.path();
    let file = data.join("shell.json");
    let good = fs::read(&file).expect("readable");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    for garbage in [&b""[..], b"{}", b"\0\xff", br#"{"address":"here","token":"12"}"#] {
        fs::write(&file, garbage).expect("written");
        refused(data, &["users"], 65, "shell.json cannot be understood");
    }
    // Well-formed, and of a server that was here before.
    let mut foreign: Value = serde_json::from_slice(&good).expect("JSON");
    foreign["token"] = "5a".repeat(32).into();
    fs::write(&file, foreign.to_string()).expect("written");
    refused(data, &["users"], 77, &Refusal::TokenUnknown.to_string());
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("a folder");
    let told = admin(data, &["users"]);
    assert_eq!(told.code, Some(65), "{}", told.err);
    fs::remove_dir(&file).expect("removed");
    let elsewhere = data.join("elsewhere");
    fs::write(&elsewhere, &good).expect("written");
    std::os::unix::fs::symlink(&elsewhere, &file).expect("a link");
    assert_eq!(admin(data, &["users"]).code, Some(65), "a link is not followed");
    fs::remove_file(&file).expect("removed");
    fs::write(&file, &good).expect("written");
    done(data, &["users"]);
    server.stop();
}

/// What is at the address answers each line with the next of `answers`, and hangs up.
fn impostor(answers: &'static [&'static str]) -> (tempfile::TempDir, File) {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("free");
    let address = listener.local_addr().expect("bound");
    let way = serde_json::json!({ "address": address, "token": "5a".repeat(32) });
    fs::write(folder.path().join("shell.json"), way.to_string()).expect("written");
    let lock = File::create(folder.path().join("lock")).expect("made");
    lock.lock().expect("locked");
    let answering = std::thread::Builder::new().name("impostor".to_owned());
    answering
        .spawn(move || {
            let (stream, _) = listener.accept().expect("somebody comes");
            let mut lines = BufReader::new(stream.try_clone().expect("a descriptor")).lines();
            for answer in answers {
                lines.next();
                (&stream).write_all(answer.as_bytes()).expect("written");
            }
        })
        .expect("a thread");
    (folder, lock)
}

const WELCOME: &str = concat!(
    r#"{"id":1,"ok":{"welcome":{"protocol":1,"epoch":"0000000000000000","user":0,"#,
    r#""name":"parlor","at":0,"features":[],"limits":{"text_bytes":1,"frame_bytes":1,"#,
    r#""page_events":1,"ping_millis":1,"silence_millis":1},"rooms":[]}}}"#,
    "\n"
);

#[test]
fn nothing_that_a_server_says_commands_the_terminal() {
    const AUDIT: &str = concat!(
        r#"{"id":2,"ok":{"audit":{"entries":[{"entry":1,"at":0,"by":0,"name":"parlor","#,
        r#""act":"ba\u001b[31mn","says":"\u001b]0;x\u0007\r\n\u009b2J\u202eback"}],"more":false}}}"#,
        "\n"
    );
    let (folder, _lock) = impostor(&[WELCOME, AUDIT]);
    let table = done(folder.path(), &["audit"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(!table.contains(|it: char| it != '\n' && (it.is_control() || it == '\u{202e}')));
    assert!(table.contains("ba\\u{1b}[31mn"), "{table}");
    let (folder, _lock) = impostor(&[WELCOME, AUDIT]);
    let json = admin(folder.path(), &["audit", "--json"]);
    assert!(!json.out.trim_end().contains(|it: char| it.is_control() || it == '\u{202e}'));
    assert_eq!(json.rows()[0]["act"], "ba\u{1b}[31mn");
    let (folder, _lock) = impostor(&[concat!(
        r#"{"id":1,"refused":{"code":"not_allowed"},"says":"\u001b[2JNo."}"#,
        "\n"
    )]);
    refused(folder.path(), &["users"], 77, "\\u{1b}[2JNo.");
}

#[test]
fn a_server_that_is_none_is_not_believed() {
    for (answers, code, sentence) in [
        (&["SSH-2.0-OpenSSH_9.2\r\n"][..], 76, "no Parlor server of this version"),
        (&["{\"id\":1,\"ok\":{\"pong\":{}}}\n"], 76, "no Parlor server of this version"),
        (&[], 75, "look whether it was done"),
        (&[WELCOME, "{\"id\":2,\"ok\":{\"us"], 75, "look whether it was done"),
        (&["{\"refused\":{\"code\":\"too_many_connections\"},\"says\":\"\"}\n"], 75, "too many"),
        // What is told besides is passed over.
        (&[WELCOME, "{\"event\":\"ping\"}\n{\"id\":2,\"ok\":{\"done\":{}}}\n"], 76, "Done"),
    ] {
        let (folder, _lock) = impostor(answers);
        refused(folder.path(), &["users"], code, sentence);
    }
}

//! One line per wire type, in `golden.txt`. A line there is a promise to programs that exist:
//! lines are added, and those of finished work are never edited.

use std::collections::BTreeSet;

use parlor_shared::{Request, ServerFrame, frame};

use crate::kinds::{every_server_kind, kind_of_request_line, kind_of_server_line};

const GOLDEN: &str = include_str!("golden.txt");

/// Each with its mark: `> ` from a client, `< ` from a server.
pub(crate) fn lines() -> impl Iterator<Item = &'static str> {
    GOLDEN.lines().filter(|it| !it.is_empty() && !it.starts_with('#'))
}

#[test]
fn every_golden_line_is_read_and_written_byte_for_byte() {
    let (mut verbs, mut kinds, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for line in lines() {
        let (kind, into) = match line.split_once(' ') {
            Some((">", line)) => (kind_of_request_line(line), &mut verbs),
            Some(("<", line)) => (kind_of_server_line(line), &mut kinds),
            _ => panic!("golden lines start with `> ` or `< `: {line}"),
        };
        match kind {
            Ok(kind) => drop(into.insert(kind)),
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    let all_verbs: BTreeSet<_> = Request::VERBS.iter().map(|it| (*it).to_owned()).collect();
    assert_eq!(verbs, all_verbs, "one golden line per verb");
    assert_eq!(kinds, every_server_kind(), "one golden line per reply, event and refusal");
}

/// What a newer server sends must not stop an older client: unknown fields are passed over, and
/// an unknown event keeps its place in the room.
#[test]
fn an_older_client_reads_a_newer_server() {
    for (line, older) in [
        (r#"{"id":9,"ok":{"pong":{"mood":"good"}},"extra":[1,2]}"#, r#"{"id":9,"ok":{"pong":{}}}"#),
        (
            r#"{"room":1,"seq":2,"at":3,"by":4,"name":"Ann","event":"joined","from":"far","x":{}}"#,
            r#"{"room":1,"seq":2,"at":3,"by":4,"name":"Ann","event":"joined"}"#,
        ),
        (
            r#"{"room":1,"seq":2,"at":3,"by":4,"name":"Ann","event":"painted","with":["red"]}"#,
            r#"{"room":1,"seq":2,"at":3,"by":4,"name":"Ann","event":"unknown"}"#,
        ),
        (
            r#"{"mine":9,"at":3,"event":"invited","room":1,"by":"Bob"}"#,
            r#"{"mine":9,"at":3,"event":"unknown"}"#,
        ),
        // What a user is told of a room's event looks like that event; `mine` tells them apart.
        (
            r#"{"mine":9,"at":3,"event":"mentioned","room":1,"seq":2,"by":4,"name":"Ann"}"#,
            r#"{"mine":9,"at":3,"event":"unknown"}"#,
        ),
        (
            r#"{"mine":9,"at":3,"event":"role_is","role":"admin","by":"Bob"}"#,
            r#"{"mine":9,"at":3,"event":"role_is","role":"admin"}"#,
        ),
        (r#"{"event":"typing","room":1,"user":2}"#, r#"{"event":"unknown"}"#),
        (
            r#"{"event":"going_away","wait_millis":5,"why":"update"}"#,
            r#"{"event":"going_away","wait_millis":5}"#,
        ),
        (
            r#"{"id":3,"refused":{"code":"too_bright","lux":9},"says":"Too bright."}"#,
            r#"{"id":3,"refused":{"code":"unknown"},"says":"Too bright."}"#,
        ),
        (
            r#"{"id":3,"refused":{"code":"conflict","with":9}}"#,
            r#"{"id":3,"refused":{"code":"conflict"},"says":""}"#,
        ),
    ] {
        let frame: ServerFrame = serde_json::from_str(line).expect(line);
        assert_eq!(String::from_utf8(frame::line(&frame)).expect("UTF-8").trim_end(), older);
    }
}

/// The other way round the server is strict, so that a client's slip is seen on the first day.
#[test]
fn a_slip_in_a_request_is_named_by_its_code() {
    for (line, code) in [
        ("", "malformed"),
        ("hello", "malformed"),
        ("[]", "malformed"),
        ("{}", "malformed"),
        (r#"{"id":1}"#, "malformed"),
        (r#"{"ping":{}}"#, "malformed"),
        (r#"{"id":-1,"ping":{}}"#, "malformed"),
        (r#"{"id":1.5,"ping":{}}"#, "malformed"),
        (r#"{"id":"1","ping":{}}"#, "malformed"),
        (r#"{"id":9007199254740992,"ping":{}}"#, "malformed"),
        (r#"{"id":1,"id":1,"ping":{}}"#, "malformed"),
        (r#"{"id":1,"ping":{},"goodbye":{}}"#, "malformed"),
        (r#"{"id":1,"ping":{}} "#, ""),
        (r#" { "ping" : { } , "id" : 9007199254740991 }"#, ""),
        (r#"{"id":1,"ping":{}}x"#, "malformed"),
        (r#"{"id":1,"ping":null}"#, "malformed"),
        (r#"{"id":1,"ping":{"loud":true}}"#, "unknown_field"),
        (r#"{"id":1,"sing":{}}"#, "unknown_request"),
        (r#"{"id":1,"ping":{},"now":true}"#, "unknown_request"),
        (r#"{"id":1,"hello":{"protocol":1}}"#, "malformed"),
        (r#"{"id":1,"hello":{"protocol":1,"app":"a\u0007"}}"#, "malformed"),
        (r#"{"id":1,"hello":{"protocol":1,"app":"a","colour":"b"}}"#, "unknown_field"),
        (
            r#"{"id":1,"hello":{"protocol":1,"app":"a","name":"Ann","password":"b"}}"#,
            "password_too_short",
        ),
        (
            r#"{"id":1,"hello":{"protocol":1,"app":"a","name":"Ann","invite":"2F7K"}}"#,
            "code_unknown",
        ),
        (r#"{"id":1,"register":{}}"#, "malformed"),
        (r#"{"id":1,"register":{"password":"nine green bottles","email":"ann"}}"#, "bad_email"),
        (r#"{"id":1,"delete_account":{}}"#, "malformed"),
        (r#"{"id":1,"delete_account":{"messages":"hide"}}"#, "malformed"),
        (r#"{"id":1,"mine":{}}"#, "malformed"),
        (r#"{"id":1,"ban":{"network":"10.0.0.0/33"}}"#, "network_malformed"),
        (r#"{"id":1,"ban":{"user":7,"reason":" "}}"#, "text_empty"),
        (r#"{"id":1,"kick":{"room":2,"user":7,"reason":"a\nb"}}"#, "control_character"),
        (r#"{"id":1,"set_role":{"user":7,"role":"king"}}"#, "malformed"),
        (r#"{"id":1,"set_policy":{"entry":"closed"}}"#, "malformed"),
        (r#"{"id":1,"set_policy":{"colour":"red"}}"#, "unknown_field"),
        (r#"{"id":1,"hello":{"protocol":1,"app":"a","token":"00"}}"#, "token_unknown"),
        (r#"{"id":1,"hello":{"protocol":1,"app":"a","name":""}}"#, "name_empty"),
        (r#"{"id":1,"join":{"name":"a\u0000b"}}"#, "control_character"),
        (r#"{"id":1,"say":{"room":1,"client_id":"a","text":"b"}}"#, "bad_client_id"),
        (r#"{"id":1,"say":{"room":1,"client_id":"a-1","text":" \n "}}"#, "text_empty"),
        (r#"{"id":1,"history":{"room":1,"page":"oldest"}}"#, "malformed"),
        (r#"{"id":1,"history":{"room":1,"page":{"after":1,"before":2}}}"#, "malformed"),
    ] {
        let outcome = frame::parse_request(line).map_or_else(|(_, it)| it.code(), |_| "");
        assert_eq!(outcome, code, "{line}");
    }
}

#[test]
fn a_refused_line_keeps_the_id_that_can_be_found_in_it() {
    for (line, id) in [
        (r#"{"id":7,"sing":{}}"#, Some(7)),
        (r#"{"say":{"room":1,"client_id":"a-1","text":""},"id":7}"#, Some(7)),
        (r#"{"id":7,"ping":{},"ping":{}}"#, Some(7)),
        (r#"{"id":7,"id":8,"ping":{}}"#, None),
        (r#"{"id":"7","ping":{}}"#, None),
        (r#"{"id":7,"ping":{}"#, None),
    ] {
        let (found, _) = frame::parse_request(line).expect_err(line);
        assert_eq!(found.map(|it| it.0), id, "{line}");
    }
}

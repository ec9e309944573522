//! The protocol's documentation, read as a stranger would: every example is a line of the
//! protocol, byte for byte, and nothing that can be said is missing from it.

use std::collections::{BTreeMap, BTreeSet};

use parlor_shared::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};
use parlor_shared::{LOBBY_ID, Limits, PORT, PROTOCOL, Refusal, Request, frame};

use crate::kinds::{every_server_kind, kind_of_request_line, kind_of_server_line};

const README: &str = include_str!("../../README.md");

/// The lines in fenced blocks, by the mark of the block.
fn blocks(readme: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut blocks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut open = None;
    for line in readme.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(mark), None) => open = Some(mark),
            (Some(_), Some(_)) => open = None,
            (None, Some(mark)) => blocks.entry(mark).or_default().push(line),
            (None, None) => {}
        }
    }
    assert_eq!(open, None, "a block is not closed");
    blocks
}

fn all(of: Result<Vec<String>, String>) -> BTreeSet<String> {
    of.unwrap_or_else(|why| panic!("{why}")).into_iter().collect()
}

#[test]
fn every_example_is_a_line_of_the_protocol() {
    let mut blocks = blocks(README);
    let mut take = |mark: &str| blocks.remove(mark).unwrap_or_default();
    let verbs = all(take("request").into_iter().map(kind_of_request_line).collect());
    let conversation = all(take("nc").into_iter().map(kind_of_request_line).collect());
    let mut kinds = BTreeSet::new();
    for (mark, starts) in [
        ("reply", &["ok "][..]),
        ("event", &["event ", "mine ", "notice "]),
        ("refusal", &["refused "]),
    ] {
        let here = all(take(mark).into_iter().map(kind_of_server_line).collect());
        for kind in &here {
            assert!(starts.iter().any(|it| kind.starts_with(it)), "{kind} in a block of {mark}");
        }
        kinds.extend(here);
    }
    let every_verb: BTreeSet<_> = Request::VERBS.iter().map(|it| (*it).to_owned()).collect();
    assert_eq!(verbs, every_verb);
    assert_eq!(kinds, every_server_kind());
    assert!(conversation.contains("hello") && conversation.contains("goodbye"));
    assert_eq!(take("text").len(), 1, "the format of the chat logs");
    assert_eq!(blocks.keys().collect::<Vec<_>>(), Vec::<&&str>::new(), "blocks nobody reads");
}

/// The conversation is one block, starts with `hello`, ends with `goodbye`, and repeats a message.
#[test]
fn the_conversation_can_be_piped_as_it_stands() {
    assert_eq!(README.matches("```nc\n").count(), 1);
    let lines = &blocks(README)["nc"];
    let requests: Vec<_> = lines.iter().map(|it| frame::parse_request(it).expect(it)).collect();
    let ids: Vec<_> = requests.iter().map(|it| it.id.0).collect();
    assert_eq!(ids, (1..=requests.len() as u64).collect::<Vec<_>>());
    assert_eq!(requests[0].request.verb(), "hello");
    assert_eq!(requests[requests.len() - 1].request.verb(), "goodbye");
    let says: Vec<_> = requests
        .iter()
        .filter_map(|it| if let Request::Say(say) = &it.request { Some(say) } else { None })
        .collect();
    assert!(says.iter().any(|it| it.room == LOBBY_ID));
    let resent = says.iter().enumerate().any(|(at, it)| says[..at].contains(it));
    assert!(resent, "a resend is shown");
}

#[test]
fn the_table_of_refusals_is_complete_and_not_stale() {
    let section = README.split("\n## Refusals\n").nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("its text");
    let row = |line: &str| {
        let cell = line.strip_prefix("| `")?.split('|').next()?.trim().to_owned();
        let (code, rest) = cell.split_once('`')?;
        Some((code.to_owned(), rest.contains(['†', '‡'])))
    };
    let rows: Vec<_> = section.lines().filter_map(row).collect();
    let codes: Vec<_> = rows.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, Refusal::CODES);
    // The dagger in the table and the missing id in the example say the same.
    for line in &blocks(section)["refusal"] {
        let code = line.split("\"code\":\"").nth(1).and_then(|it| it.split('"').next());
        let marked = rows.iter().any(|(it, dagger)| Some(it.as_str()) == code && *dagger);
        assert_eq!(marked, !line.starts_with("{\"id\""), "{line}");
    }
}

/// Nobody has to guess what they may ask.
#[test]
fn who_may_do_what_names_every_verb_once() {
    let section = README.split("\n## Who may do what\n").nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("its text");
    let cells = section.lines().filter_map(|it| it.strip_prefix("| `")?.split('|').next());
    let mut verbs: Vec<_> = cells.flat_map(|it| it.split('`').step_by(2)).collect();
    verbs.sort_unstable();
    let mut all = Request::VERBS.to_vec();
    all.sort_unstable();
    assert_eq!(verbs, all);
}

/// Every link within the page leads to a heading, and the contents name every chapter.
#[test]
fn the_links_lead_somewhere() {
    let anchor = |heading: &str| {
        let kept = |it: &char| it.is_alphanumeric() || matches!(it, ' ' | '_' | '-');
        heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
    };
    let headings: BTreeSet<_> = README
        .lines()
        .filter(|it| it.starts_with("##"))
        .map(|it| anchor(it.trim_matches('#').trim()))
        .collect();
    let links =
        |text: &'static str| text.split("](#").skip(1).filter_map(|it| it.split(')').next());
    for link in links(README) {
        assert!(headings.contains(link), "there is no heading for #{link}");
    }
    let contents = README.split("\n## ").next().expect("the head");
    let named: BTreeSet<_> = links(contents).collect();
    for chapter in README.lines().filter_map(|it| it.strip_prefix("## ")) {
        assert!(named.contains(anchor(chapter).as_str()), "the contents do not name {chapter}");
    }
}

fn seconds(millis: u64) -> String {
    format!("{} s", millis / 1_000)
}

/// `10,000`
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Figures in the prose are those of the code.
fn says_all<const N: usize>(figures: [String; N]) {
    for figure in figures {
        assert!(README.contains(&figure), "the README does not say: {figure}");
    }
}

#[test]
fn the_figures_of_talking_are_those_of_the_code() {
    let limits = Limits::default();
    says_all([
        format!("protocol **{PROTOCOL}**"),
        format!("port **{PORT}**"),
        format!("The lobby is room {LOBBY_ID}"),
        format!("\"text_bytes\":{}", parlor_shared::limits::TEXT_BYTES_MAX),
        format!("\"frame_bytes\":{}", limits.frame_bytes),
        format!("\"page_events\":{}", limits.page_events_max),
        format!("\"ping_millis\":{}", limits.ping_millis),
        format!("\"silence_millis\":{}", limits.silence_millis),
        format!("`hello`, from connecting | {} |", seconds(limits.hello_millis)),
        format!("before an accepted `hello` | {} |", limits.hello_tries),
        format!("from its first byte | {} |", seconds(limits.frame_millis)),
        format!(
            "{} a second, {} at once; held back up to {}",
            limits.messages_per_second,
            limits.messages_burst,
            seconds(limits.message_delay_millis)
        ),
        format!("{} a second, {} at once |", limits.requests_per_second, limits.requests_burst),
        format!("connections of one user | {} |", limits.sessions_per_user),
        format!(
            "from one address | {}, of them {}",
            limits.connections_per_source, limits.strangers_per_source
        ),
        format!("new guests from one address | {} an hour", limits.guests_per_source),
        format!("is in / has made | {} / {} |", limits.rooms_joined, limits.rooms_made),
        format!("{} events unless you say", limits.page_events),
        format!("not used for {} days", limits.guest_idle_days),
        format!("one line of {} characters", parlor_shared::limits::LINE_CHARS_MAX),
        format!("or a device {} bytes", parlor_shared::limits::LABEL_BYTES_MAX),
        format!("or {} without progress", seconds(limits.stuck_millis)),
    ]);
}

#[test]
fn the_figures_of_accounts_are_those_of_the_code() {
    let limits = Limits::default();
    says_all([
        format!(
            "of an account | {} days without use, {} in all",
            limits.session_idle_days, limits.session_days
        ),
        format!("kept for one user | {};", limits.sessions_stored),
        format!(
            "address | {}, then one in {} minutes",
            limits.tries_at_once,
            limits.tries_again_millis / 60_000
        ),
        format!("whatever the account | {} a minute", limits.tries_per_source),
        format!("came in before | {} a day", limits.tries_per_account),
        format!(
            "by mail | {} hours / {} minutes",
            limits.reset_code_hours, limits.mail_code_minutes
        ),
        format!("says otherwise | {} days", limits.invite_days),
        format!("and mutes | {} / {} |", thousands(limits.invites), thousands(limits.bans)),
        format!(
            "one in {}; an old name is kept for {} days, {} of one user",
            seconds(limits.rename_millis),
            limits.name_kept_days,
            limits.names_kept
        ),
        format!("own stream | {} |", limits.own_events),
        format!("the newest {}.", limits.own_events),
        format!("in one answer | {} / {} |", thousands(limits.audit_entries), limits.audit_page),
        format!(
            "a password {} to {} bytes",
            PASSWORD_BYTES_MIN,
            thousands(PASSWORD_BYTES_MAX as u64)
        ),
    ]);
}

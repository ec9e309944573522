//! Mail from end to end: the real server, a real SMTP server on loopback, and a client that does
//! with the codes what people do.

use std::net::TcpListener;
use std::path::Path;

use parlor_shared::event::MailState;
use parlor_shared::request::{
    Forgot, Hello, Mine, Nothing, Recover, Register, SetEmail, VerifyEmail,
};
use parlor_shared::{Code, EmailAddress, Password, Refusal, Reply, Request, Seq, UserNews};

use crate::client::{Answer, Client, empty_hello};
use crate::harness::{PATIENCE, Setup, TestServer, wait_for};
use crate::mail::{Smtp, read};

const PASSWORD: &str = "a long enough one";

/// A server that sends its mail to that port, and does not wait long before it tries again.
fn setup(data: &Path, port: u16) -> Setup {
    Setup::on(data)
        .with("--smtp", format!("smtp://127.0.0.1:{port}"))
        .with("--mail-from", "parlor@chat.example")
        .limit("mail_retry_millis", 50)
        .limit("mail_retry_millis_max", 200)
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("free").port()
}

fn password(text: &str) -> Password {
    text.parse().expect("a password")
}

fn email(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

fn register(client: &mut Client, address: &str) -> Answer {
    let email = Some(email(address));
    client.ask(Request::Register(Register { password: password(PASSWORD), email }))
}

/// Somebody new with an account, and a mail on its way.
fn registered(server: &TestServer, name: &str, address: &str) -> Client {
    let mut client = server.guest(name);
    let answer = register(&mut client, address);
    assert!(matches!(answer, Ok(Reply::Registered { mail: true, .. })), "{answer:?}");
    client
}

fn verify(client: &mut Client, code: Code) -> Answer {
    client.ask(Request::VerifyEmail(VerifyEmail { code }))
}

fn forgot(server: &TestServer, address: &str) -> Answer {
    server.client().ask(Request::Forgot(Forgot { email: email(address) }))
}

fn recover(server: &TestServer, name: &str, code: Code, new: &str) -> Answer {
    let name = name.parse().expect("a name");
    let request = Recover { name, code, password: password(new) };
    server.client().ask(Request::Recover(request))
}

fn sign_in(server: &TestServer, name: &str, with: &str) -> Answer {
    let name = Some(name.parse().expect("a name"));
    let hello = Hello { name, password: Some(password(with)), ..empty_hello() };
    server.client().ask(Request::Hello(hello))
}

/// Somebody who was here, on a new connection.
fn back(server: &TestServer, who: &Client) -> Client {
    let mut client = server.client();
    client.resume(who.token.expect("a token")).expect("known");
    client
}

/// The letter that arrives next: to whom, about what, and with which code.
fn letter(smtp: &Smtp) -> (String, String, Code) {
    let letter = smtp.letter();
    let shown = read(letter["content"].as_str().expect("text"));
    let code = shown["body"].lines().find_map(|it| it.strip_prefix("    ")).expect("a code");
    let to = letter["to"][0].as_str().expect("an address").to_owned();
    (to, shown["Subject"].clone(), code.parse().expect("a code"))
}

/// Waits until that is the latest that somebody was told of a mail.
fn told(client: &mut Client, state: MailState) {
    let seen = wait_for(PATIENCE, || (told_so_far(client).last() == Some(&state)).then_some(()));
    assert!(seen.is_some(), "{:?}", told_so_far(client));
}

/// All that was ever told of mails, as somebody reads it who comes back.
fn told_so_far(client: &mut Client) -> Vec<MailState> {
    let reply = client.ask(Request::Mine(Mine { after: Seq(0) }));
    let Ok(Reply::Mine { events, more: false, .. }) = reply else { panic!("{reply:?}") };
    let state = |it| if let UserNews::Mailed { state, .. } = it { Some(state) } else { None };
    events.into_iter().filter_map(|it| state(it.news)).collect()
}

#[test]
fn an_address_is_proven_and_a_forgotten_password_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let smtp = Smtp::start(&[]);
    // More tries than anybody needs.
    let server = setup(folder.path(), smtp.port).limit("tries_at_once", 50).start();
    let mut ann = registered(&server, "Ann", "ann@example.org");
    let (to, subject, code) = letter(&smtp);
    assert_eq!(to, "ann@example.org");
    assert!(subject.starts_with("Confirm your e-mail address"), "{subject}");
    told(&mut ann, MailState::Sent);
    // A code for proving an address opens nothing.
    assert_eq!(recover(&server, "Ann", code, "not with this code"), Err(Refusal::CodeUnknown));
    let proven = verify(&mut ann, code);
    assert_eq!(proven, Ok(Reply::EmailVerified { email: email("ann@example.org") }));
    assert_eq!(verify(&mut ann, code), Err(Refusal::CodeUnknown), "once");
    let account = ann.ask(Request::Account(Nothing {}));
    assert!(matches!(account, Ok(Reply::Account { verified: true, .. })), "{account:?}");
    assert_eq!(forgot(&server, "ann@EXAMPLE.org"), Ok(Reply::Mailed {}));
    let (to, subject, code) = letter(&smtp);
    assert_eq!(to.to_lowercase(), "ann@example.org");
    assert!(subject.starts_with("Set a new password"), "{subject}");
    // Of somebody else's account it opens nothing.
    let _bob = registered(&server, "Bob", "bob@example.org");
    assert_eq!(letter(&smtp).0, "bob@example.org");
    // An address that was not proven yet gets no code for a password.
    assert_eq!(forgot(&server, "bob@example.org"), Ok(Reply::Mailed {}));
    assert_eq!(recover(&server, "Bob", code, "mine now, all mine"), Err(Refusal::CodeUnknown));
    assert_eq!(recover(&server, "Ann", code, "password1234"), Err(Refusal::PasswordWeak));
    assert_eq!(recover(&server, "Ann", code, "quite another one"), Ok(Reply::Recovered {}));
    assert_eq!(recover(&server, "Ann", code, "and once more so"), Err(Refusal::CodeUnknown));
    assert!(ann.is_closed_within(PATIENCE), "every session ends");
    assert_eq!(sign_in(&server, "Ann", PASSWORD), Err(Refusal::WrongPassword));
    let back = sign_in(&server, "Ann", "quite another one");
    assert!(matches!(back, Ok(Reply::Welcome(_))), "{back:?}");
    server.stop();
    assert!(smtp.letters.try_recv().is_err());
}

#[test]
fn nobody_learns_which_addresses_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let smtp = Smtp::start(&[]);
    let server = setup(folder.path(), smtp.port).start();
    let mut ann = registered(&server, "ann", "ann@example.org");
    let (_, _, code) = letter(&smtp);
    verify(&mut ann, code).expect("proven");
    let line = |address: &str| {
        let mut stranger = server.client();
        stranger.send(Request::Forgot(Forgot { email: email(address) }));
        stranger.line(PATIENCE).expect("an answer")
    };
    assert_eq!(line("ann@example.org"), line("nobody@example.org"));
    // Registering with an address that another account has proven says nothing, either.
    let mut eve = registered(&server, "eve", "ann@example.org");
    let (mut to_ann, mut to_eve) = (None, None);
    for _ in 0..2 {
        match letter(&smtp) {
            (_, subject, code) if subject.starts_with("Set") => to_ann = Some(code),
            (_, _, code) => to_eve = Some(code),
        }
    }
    // Only whoever reads the mail of that address is told.
    let to_eve = to_eve.expect("a letter");
    assert_eq!(verify(&mut eve, to_eve), Err(Refusal::EmailTaken));
    // What was mailed to Ann is of no use to Eve's account, though the address is the same.
    let to_ann = to_ann.expect("a letter");
    assert_eq!(recover(&server, "eve", to_ann, "mine now, all mine"), Err(Refusal::CodeUnknown));
    assert_eq!(recover(&server, "ann", to_ann, "quite another one"), Ok(Reply::Recovered {}));
    server.stop();
    assert!(smtp.letters.try_recv().is_err(), "and nobody else was written to");
}

#[test]
fn a_letter_waits_for_the_mail_server_over_restarts_and_arrives_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let server = setup(folder.path(), port).start();
    let mut ann = registered(&server, "ann", "ann@example.org");
    told(&mut ann, MailState::Waits);
    server.stop();
    // One that is killed in the middle of it, too.
    let server = setup(folder.path(), port).start();
    let mut ann = back(&server, &ann);
    wait_for(PATIENCE, || (told_so_far(&mut ann).len() == 2).then_some(())).expect("waits again");
    server.kill();
    let server = setup(folder.path(), port).start();
    let mut ann = back(&server, &ann);
    let smtp = Smtp::start(&["--port", &port.to_string()]);
    let (to, _, code) = letter(&smtp);
    assert_eq!(to, "ann@example.org");
    told(&mut ann, MailState::Sent);
    verify(&mut ann, code).expect("it is still good");
    server.stop();
    // What was sent is not sent again by the next one.
    let server = setup(folder.path(), port).start();
    let mut ann = back(&server, &ann);
    let bob = registered(&server, "bob", "bob@example.org");
    assert_eq!(letter(&smtp).0, "bob@example.org");
    told(&mut ann, MailState::Sent);
    drop(bob);
    server.stop();
    assert!(smtp.letters.try_recv().is_err());
}

/// Makes mails and codes of a data folder older.
fn two_hours_pass(data: &Path) {
    let file = parlor_server::store::file_in(data);
    let db = rusqlite::Connection::open(file).expect("a database");
    db.execute_batch("UPDATE mail SET at = at - 7200000; UPDATE code SET until = until - 7200000;")
        .expect("older");
}

#[test]
fn a_code_is_good_from_when_its_letter_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let server = setup(folder.path(), port).start();
    let mut ann = registered(&server, "ann", "ann@example.org");
    let mut bob = registered(&server, "bob", "bob@example.org");
    told(&mut ann, MailState::Waits);
    told(&mut bob, MailState::Waits);
    server.stop();
    // The mail server is away for longer than a code is good for.
    two_hours_pass(folder.path());
    let smtp = Smtp::start(&["--port", &port.to_string()]);
    let server = setup(folder.path(), port).start();
    let (mut ann, mut bob) = (back(&server, &ann), back(&server, &bob));
    let mut codes = [letter(&smtp), letter(&smtp)];
    codes.sort_by(|one, other| one.0.cmp(&other.0));
    told(&mut ann, MailState::Sent);
    told(&mut bob, MailState::Sent);
    verify(&mut ann, codes[0].2).expect("it came only now");
    server.stop();
    // Bob reads his mail too late.
    two_hours_pass(folder.path());
    let server = setup(folder.path(), port).start();
    assert_eq!(verify(&mut back(&server, &bob), codes[1].2), Err(Refusal::CodeUnknown));
    server.stop();
}

#[test]
fn only_the_latest_code_is_good_and_only_its_letter_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let server = setup(folder.path(), port).start();
    let mut ann = registered(&server, "ann", "typo@example.org");
    told(&mut ann, MailState::Waits);
    for address in ["ann@example.com", "ann@example.org"] {
        let email = Some(email(address));
        let asked = Request::SetEmail(SetEmail { password: password(PASSWORD), email });
        assert_eq!(ann.ask(asked), Ok(Reply::EmailSet { mail: true }));
    }
    let smtp = Smtp::start(&["--port", &port.to_string()]);
    let (to, _, code) = letter(&smtp);
    assert_eq!(to, "ann@example.org", "what would be of no use is not sent");
    verify(&mut ann, code).expect("proven");
    told(&mut ann, MailState::Sent);
    let asked = Request::SetEmail(SetEmail { password: password(PASSWORD), email: None });
    assert_eq!(ann.ask(asked), Ok(Reply::EmailSet { mail: false }));
    server.stop();
    assert!(smtp.letters.try_recv().is_err());
}

#[test]
fn without_a_mail_server_nobody_is_promised_a_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Setup::on(folder.path()).start();
    let mut ann = server.guest("ann");
    let answer = register(&mut ann, "ann@example.org");
    assert!(matches!(answer, Ok(Reply::Registered { mail: false, .. })), "{answer:?}");
    assert_eq!(forgot(&server, "ann@example.org"), Err(Refusal::NoMail));
    server.stop();
}

//! Letters, through a real SMTP server (Debian's aiosmtpd) on loopback, and through servers that
//! are away, slow or unwilling.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_server::mail::{Code, Due, Letter, LetterId, Mail, MailArgs, MailConfig, Outbox, Words};
use parlor_shared::{Limits, UnixMillis};

use crate::harness::PATIENCE;

/// The SMTP server. When this is dropped, so is its standard input, and it ends.
pub(crate) struct Smtp {
    process: Child,
    input: Option<ChildStdin>,
    pub(crate) port: u16,
    pub(crate) letters: Receiver<serde_json::Value>,
}

impl Smtp {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mail/smtp_server.py");
        // The system's own Python: that is where the package is.
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It complains about clients that do not trust it, which is what they are there for.
            .stderr(Stdio::null())
            .spawn()
            .expect("Python");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        let (says, letters) = bounded(64);
        std::thread::Builder::new()
            .name("smtp-out".to_owned())
            .spawn(move || {
                for line in out.lines().map_while(Result::ok) {
                    let said = serde_json::from_str(&line).expect("JSON");
                    if says.send(said).is_err() {
                        break;
                    }
                }
            })
            .expect("a thread");
        let input = process.stdin.take();
        let said: serde_json::Value =
            letters.recv_timeout(PATIENCE).expect("python3-aiosmtpd is installed and starts");
        let port = said["port"].as_u64().and_then(|it| it.try_into().ok()).expect("a port");
        Self { process, input, port, letters }
    }

    /// The next letter that arrives: its envelope, and its text with the headers undone.
    pub(crate) fn letter(&self) -> serde_json::Value {
        self.letters.recv_timeout(PATIENCE).expect("a letter arrives")
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        while self.process.try_wait().expect("its state").is_none() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        self.process.kill().ok();
        self.process.wait().expect("it ended");
    }
}

/// An outbox in memory, and what was said about each letter.
#[derive(Clone, Default)]
struct Pile {
    rows: Arc<Mutex<BTreeMap<LetterId, (Letter, UnixMillis)>>>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Outbox for Pile {
    fn next(&mut self, now: UnixMillis) -> Due {
        let rows = self.rows.lock().expect("not poisoned");
        match rows.values().min_by_key(|(_, at)| *at) {
            None => Due::Never,
            Some((letter, at)) if *at <= now => Due::Now(letter.clone()),
            Some((_, at)) => Due::At(*at),
        }
    }

    fn sent(&mut self, id: LetterId) {
        self.rows.lock().expect("not poisoned").remove(&id).expect("a row");
        self.said.lock().expect("not poisoned").push(format!("{id} sent"));
    }

    fn failed(&mut self, id: LetterId, says: &str, retry_at: Option<UnixMillis>) {
        let mut rows = self.rows.lock().expect("not poisoned");
        let how = if let Some(at) = retry_at {
            let (letter, due) = rows.get_mut(&id).expect("a row");
            (letter.tries, *due) = (letter.tries + 1, at);
            "waits"
        } else {
            rows.remove(&id).expect("a row");
            "given up"
        };
        self.said.lock().expect("not poisoned").push(format!("{id} {how}: {says}"));
    }
}

impl Pile {
    fn put(&self, id: u64, to: &str) {
        let name = "Zoë Łukasz".parse().expect("a name");
        let code = Code("k7dm-29xq".to_owned());
        let letter = Letter {
            id: LetterId(id),
            to: to.parse().expect("an address"),
            words: Words::Verify { name, code, minutes: 30 },
            made_at: now(),
            tries: 0,
        };
        self.rows.lock().expect("not poisoned").insert(LetterId(id), (letter, now()));
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().expect("not poisoned").clone()
    }

    /// Waits until something that was said is what `is_it` looks for.
    fn wait_for(&self, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().iter().any(|it| is_it(it)) {
            assert!(Instant::now() < deadline, "{:?}", self.said());
            std::thread::yield_now();
        }
    }
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixMillis(since.as_millis() as u64)
}

/// Tried again after a twentieth of a second, and five times as long at most.
fn hurried() -> Limits {
    Limits {
        mail_retry_millis: 50,
        mail_retry_millis_max: 250,
        mail_timeout_millis: 300,
        ..Limits::default()
    }
}

fn config(url: &str, ca: Option<&std::path::Path>) -> MailConfig {
    let args = MailArgs {
        smtp: Some(url.to_owned()),
        mail_from: Some("parlor@chat.example".to_owned()),
        smtp_ca: ca.map(Into::into),
    };
    MailConfig::new(&args).expect("right").expect("mail").called("чат.example:7666")
}

fn start(url: &str, limits: &Limits, outbox: &Pile) -> Mail {
    started(config(url, None), limits, outbox).0
}

/// The thread, and the bell that wakes it.
fn started(config: MailConfig, limits: &Limits, outbox: &Pile) -> (Mail, Sender<()>) {
    let (bell, rung) = bounded(1);
    (Mail::start(config, limits, outbox.clone(), rung).expect("a thread"), bell)
}

fn stop(mail: Mail) {
    let begun = Instant::now();
    mail.stop(begun + Duration::from_secs(2));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// What a mail program shows, as Python's own library reads it.
pub(crate) fn read(content: &str) -> BTreeMap<String, String> {
    const READ: &str = "import email, email.policy, json, sys\n\
        it = email.message_from_string(sys.stdin.read(), policy=email.policy.default)\n\
        shown = {key: str(value) for key, value in it.items()}\n\
        shown['body'] = it.get_content().replace('\\r\\n', '\\n')\n\
        print(json.dumps(shown))";
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python");
    let mut input = python.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, content.as_bytes()).expect("read");
    drop(input);
    let out = python.wait_with_output().expect("it ended").stdout;
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn a_letter_arrives_with_its_headers_and_every_letter_of_it() {
    let smtp = Smtp::start(&[]);
    let outbox = Pile::default();
    let url = format!("smtp://127.0.0.1:{}", smtp.port);
    let (mail, bell) = started(config(&url, None), &Limits::default(), &outbox);
    outbox.put(7, "Ann.Lee@example.org");
    bell.try_send(()).ok();
    let letter = smtp.letter();
    assert_eq!(letter["from"], "parlor@chat.example");
    assert_eq!(letter["to"], serde_json::json!(["Ann.Lee@example.org"]));
    let content = letter["content"].as_str().expect("text");
    let shown = read(content);
    assert_eq!(shown["From"], "Parlor <parlor@chat.example>");
    assert_eq!(shown["To"], "Ann.Lee@example.org");
    assert_eq!(shown["Subject"], "Confirm your e-mail address on чат.example:7666");
    assert_eq!(shown["Auto-Submitted"], "auto-generated");
    assert!(shown["Message-ID"].starts_with("<parlor-7-"), "{shown:?}");
    assert!(shown["Content-Type"].starts_with("text/plain; charset=\"utf-8\""), "{shown:?}");
    assert!(shown["body"].starts_with("Hello Zoë Łukasz,\n\nsomebody,"), "{shown:?}");
    assert!(shown["body"].contains("\n    k7dm-29xq\n"), "{shown:?}");
    outbox.wait_for(|it| it == "7 sent");
    assert_eq!(outbox.said(), ["7 sent"]);
    stop(mail);
}

#[test]
fn a_letter_waits_for_a_server_that_is_down_and_arrives_once() {
    // A port that nobody listens on.
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("free").port();
    let outbox = Pile::default();
    outbox.put(1, "ann@example.org");
    outbox.put(2, "bob@example.org");
    let mail = start(&format!("smtp://127.0.0.1:{port}"), &hurried(), &outbox);
    outbox.wait_for(|it| it.starts_with("1 waits"));
    outbox.wait_for(|it| it.starts_with("2 waits"));
    let smtp = Smtp::start(&["--port", &port.to_string()]);
    let mut to: Vec<String> = [smtp.letter(), smtp.letter()].map(|it| it["to"].to_string()).into();
    to.sort();
    assert_eq!(to, ["[\"ann@example.org\"]", "[\"bob@example.org\"]"]);
    outbox.wait_for(|it| it == "1 sent");
    outbox.wait_for(|it| it == "2 sent");
    stop(mail);
    assert!(smtp.letters.try_recv().is_err(), "each arrives once");
}

#[test]
fn a_recipient_that_does_not_exist_is_given_up_and_one_that_is_put_off_is_not() {
    let smtp = Smtp::start(&["--refuse", "nobody@example.org", "--later", "ann@example.org"]);
    let outbox = Pile::default();
    outbox.put(1, "nobody@example.org");
    outbox.put(2, "ann@example.org");
    outbox.put(3, "bob@example.org");
    let mail = start(&format!("smtp://127.0.0.1:{}", smtp.port), &hurried(), &outbox);
    outbox.wait_for(|it| it == "2 sent");
    outbox.wait_for(|it| it == "3 sent");
    stop(mail);
    let said = outbox.said();
    let about = |id: &str| said.iter().filter(|it| it.starts_with(id)).collect::<Vec<_>>();
    assert!(
        matches!(&about("1 ")[..], [it] if it.contains("given up") && it.contains("nobody of that name")),
        "{said:?}"
    );
    assert!(
        matches!(&about("2 ")[..], [first, _] if first.contains("waits") && first.contains("later")),
        "{said:?}"
    );
    assert!(outbox.rows.lock().expect("not poisoned").is_empty());
}

#[test]
fn a_server_that_hangs_is_left_after_a_while_and_never_holds_up_the_end() {
    // It accepts (the kernel does) and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("free");
    let url = format!("smtp://127.0.0.1:{}", silent.local_addr().expect("bound").port());
    let outbox = Pile::default();
    outbox.put(1, "ann@example.org");
    let mail = start(&url, &hurried(), &outbox);
    outbox.wait_for(|it| it == "1 waits: the mail server did not answer in time");
    stop(mail);
    // With the usual patience of 30 s the thread is in the middle of it when the end comes.
    let outbox = Pile::default();
    outbox.put(2, "ann@example.org");
    let mail = start(&url, &Limits::default(), &outbox);
    let held = [silent.accept(), silent.accept()];
    stop(mail);
    assert_eq!(outbox.said(), [""; 0], "nothing became of it");
    drop(held);
}

#[test]
fn a_letter_that_is_too_old_is_given_up() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("free").port();
    let outbox = Pile::default();
    outbox.put(1, "ann@example.org");
    let limits = Limits { mail_give_up_millis: 300, ..hurried() };
    let mail = start(&format!("smtp://127.0.0.1:{port}"), &limits, &outbox);
    outbox.wait_for(|it| it.starts_with("1 given up"));
    assert!(outbox.rows.lock().expect("not poisoned").is_empty());
    stop(mail);
}

#[test]
fn starttls_and_the_sign_in_are_spoken_and_a_stranger_with_another_certificate_gets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let (cert_path, key_path) = (cert.to_str().expect("UTF-8"), key.to_str().expect("UTF-8"));
    let smtp = Smtp::start(&["--tls", cert_path, key_path, "--login", "chat", "p@ss word"]);
    let url =
        |password: &str| format!("smtp://chat:{password}@localhost:{}?tls=starttls", smtp.port);
    let outbox = Pile::default();
    outbox.put(1, "ann@example.org");
    // Signed by nobody that is known.
    let mail = start(&url("p%40ss%20word"), &hurried(), &outbox);
    outbox.wait_for(|it| it.starts_with("1 waits") && it.to_lowercase().contains("certificate"));
    stop(mail);
    // The right certificate, the wrong password: the letter waits, it is not given up.
    let wrong = config(&url("wrong"), Some(&cert));
    let mail = started(wrong, &hurried(), &outbox).0;
    outbox.wait_for(|it| it.starts_with("1 waits") && it.contains("535"));
    stop(mail);
    let right = config(&url("p%40ss%20word"), Some(&cert));
    let mail = started(right, &hurried(), &outbox).0;
    let letter = smtp.letter();
    assert_eq!((&letter["is_encrypted"], &letter["is_signed_in"]), (&true.into(), &true.into()));
    outbox.wait_for(|it| it == "1 sent");
    stop(mail);
}

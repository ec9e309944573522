//! The app without its window against the real server: real sockets, real files, both started
//! and ended again and again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_desktop::archive::{Archive, NoKeyring, Waker};
use parlor_desktop::link::Link;
use parlor_desktop::model::{Effect, Input, Intent, LinkState, Model, Moment, News, Stage};
use parlor_server::config::Config;
use parlor_server::folder::Folder;
use parlor_server::server::{Server, ServerError, listen};
use parlor_server::store::Store;
use parlor_shared::{Code, LOBBY_ID, Limits, UnixMillis};

const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the clock, where nothing else wakes: a planned try, for instance.
const LOOK: Duration = Duration::from_millis(20);

/// Says stop, and waits for the end.
type Running = (Sender<()>, JoinHandle<Result<(), ServerError>>);

/// A server that can be stopped and started again at the same place.
pub(crate) struct Served {
    config: Config,
    running: Option<Running>,
    /// With it somebody becomes the owner.
    pub(crate) claim: Option<Code>,
}

impl Served {
    pub(crate) fn start(data: &Path) -> Self {
        let mut limits = Limits::default();
        for name in ["messages_per_second", "messages_burst", "requests_burst"] {
            assert!(limits.set(name, 1_000_000));
        }
        let mut served = Self {
            config: Config {
                bind: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
                data: data.to_owned(),
                chatlogs: None,
                log_level: log::LevelFilter::Off,
                limits,
                certificate: None,
                allow_plain_passwords: false,
                mail: None,
                until_stdin_closes: false,
            },
            running: None,
            claim: None,
        };
        served.go_on();
        served
    }

    fn go_on(&mut self) {
        let listener = listen(&self.config.addresses()).expect("a port");
        let folder = Folder::take(&self.config.data).expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let server = Server::start(&self.config, listener, folder, store).expect("a server");
        self.config.bind = Some(server.address());
        self.claim = server.claim();
        let (stop, stopped) = bounded(1);
        let thread = std::thread::Builder::new();
        let thread = thread.spawn(move || server.run(&stopped)).expect("a thread");
        self.running = Some((stop, thread));
    }

    fn stop(&mut self) {
        let (stop, thread) = self.running.take().expect("it runs");
        stop.send(()).expect("it listens");
        thread.join().expect("its end").expect("a clean end");
    }

    pub(crate) fn address(&self) -> String {
        self.config.bind.expect("it was started").to_string()
    }

    /// Without encryption.
    fn plain_address(&self) -> String {
        format!("plain://{}", self.address())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.running.is_some() && !std::thread::panicking() {
            self.stop();
        }
    }
}

/// The app without its window.
pub(crate) struct Headless {
    pub(crate) model: Model,
    link: Option<Link>,
    archive: Archive,
    wake: Waker,
    woken: Receiver<()>,
    began: Instant,
}

impl Headless {
    pub(crate) fn open(profile: &Path) -> Self {
        let (bell, woken) = bounded(1);
        let wake: Waker = Arc::new(move || _ = bell.try_send(()));
        let (archive, opened) =
            Archive::open(profile, Box::new(NoKeyring), Arc::clone(&wake)).expect("a profile");
        let began = Instant::now();
        let (model, effects) = Model::start(opened, moment(began));
        let mut app = Self { model, link: None, archive, wake, woken, began };
        app.perform(effects);
        app
    }

    pub(crate) fn want(&mut self, intent: Intent) {
        self.feed(News::Intent(intent));
    }

    pub(crate) fn feed(&mut self, news: News) {
        let effects = self.model.update(Input { moment: moment(self.began), news });
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Connect { link, address, pin } => {
                    self.link = None;
                    let wake = Arc::clone(&self.wake);
                    self.link = Some(Link::open(link, address, pin, wake).expect("a link"));
                }
                Effect::Disconnect => self.link = None,
                Effect::Send(frame) => {
                    if let Some(link) = &self.link {
                        link.send(frame);
                    }
                }
                Effect::Keep(keep) => self.archive.keep(keep),
                Effect::StartHost | Effect::WriteFile { .. } | Effect::Quit => {
                    panic!("nobody asked for it")
                }
            }
        }
    }

    /// Takes what there is.
    fn work(&mut self) {
        while let Some(news) = self.archive.try_recv() {
            self.feed(News::Archive(news));
        }
        while !self.archive.is_behind()
            && let Some(link) = &mut self.link
            && let Some(news) = link.try_recv()
        {
            let id = link.id();
            self.feed(News::Link(id, news));
        }
        let now = moment(self.began).millis;
        if self.model.next_wake().is_some_and(|at| at <= now) {
            self.feed(News::Tick);
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let Some(room) = self.model.rooms.get(&LOBBY_ID) else { return Vec::new() };
        room.timeline.iter().filter_map(|(_, row)| row.text().map(str::to_owned)).collect()
    }

    fn is_at_rest(&self) -> bool {
        self.model.rooms.values().all(|it| it.outbox.is_empty() && !it.is_catching_up())
    }
}

fn moment(began: Instant) -> Moment {
    let millis = began.elapsed().as_millis() as u64;
    // Luck only spreads the tries over time.
    Moment { millis, wall: UnixMillis(millis), random: u64::from(began.elapsed().subsec_nanos()) }
}

/// Lets everybody work until it is so.
pub(crate) fn wait(apps: &mut [Headless], what: &str, is_so: impl Fn(&[Headless]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so(apps) {
        assert!(Instant::now() < deadline, "never: {what}");
        for app in &mut *apps {
            app.work();
        }
        let mut bells = crossbeam_channel::Select::new();
        for app in &*apps {
            bells.recv(&app.woken);
        }
        if let Ok(rung) = bells.select_timeout(LOOK) {
            let index = rung.index();
            rung.recv(&apps[index].woken).expect("the app holds its bell");
        }
    }
}

pub(crate) fn all_talk(apps: &[Headless]) -> bool {
    apps.iter().all(|it| it.model.stage == Stage::Talking)
}

#[test]
fn everybody_hears_everything_once_while_server_and_apps_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut served = Served::start(&folder.path().join("server"));
    let profile = |number: usize| folder.path().join(format!("app {number}"));
    let mut apps: Vec<_> = (0..3).map(|number| Headless::open(&profile(number))).collect();
    for (number, app) in apps.iter_mut().enumerate() {
        app.want(Intent::Join {
            name: format!("Person {number}"),
            // Who is on this computer may do without encryption.
            address: if number == 0 { served.plain_address() } else { served.address() },
        });
    }
    wait(&mut apps, "everybody is in", all_talk);
    let mut expected = Vec::new();
    for round in 0..5 {
        for turn in 0..10 {
            for (number, app) in apps.iter_mut().enumerate() {
                let text = format!("{number} says {round}/{turn}");
                expected.push(text.clone());
                app.want(Intent::Say { room: LOBBY_ID, text });
            }
            for app in &mut apps {
                app.work();
            }
        }
        // In the middle of it all.
        served.stop();
        let victim = round % apps.len();
        wait(&mut apps, "it is on this computer's disk", |apps| {
            let is_safe = |it: &parlor_desktop::model::Pending| {
                it.state != parlor_desktop::model::PendingState::Saving
            };
            apps[victim].model.rooms[&LOBBY_ID].outbox.iter().all(is_safe)
        });
        apps.remove(victim);
        apps.insert(victim, Headless::open(&profile(victim)));
        served.go_on();
    }
    wait(&mut apps, "everything is said", |apps| {
        all_talk(apps) && apps.iter().all(|it| it.is_at_rest() && it.texts().len() >= 150)
    });
    let story = apps[0].texts();
    for app in &apps {
        assert_eq!(app.texts(), story, "one story");
    }
    for number in 0..apps.len() {
        let own = |texts: &[String]| {
            let mine = format!("{number} says");
            texts.iter().filter(|it| it.starts_with(&mine)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(own(&story), own(&expected), "in the order of saying");
    }
}

#[test]
fn ten_thousand_missed_messages_are_caught_up() {
    const MISSED: usize = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::start(&folder.path().join("server"));
    let profile = folder.path().join("app");
    let mut apps = vec![Headless::open(&profile)];
    apps[0].want(Intent::Join { name: "Ann".to_owned(), address: served.address() });
    wait(&mut apps, "she is in", |apps| all_talk(apps) && apps[0].is_at_rest());
    wait(&mut apps, "she sees herself come", |apps| {
        !apps[0].model.rooms[&LOBBY_ID].timeline.is_empty()
    });
    drop(apps);

    let mut talker = TcpStream::connect(served.address()).expect("a connection");
    let mut lines = BufReader::new(talker.try_clone().expect("a reader")).lines();
    let hello = "{\"id\":1,\"hello\":{\"protocol\":1,\"app\":\"test\",\"name\":\"Ben\"}}\n";
    talker.write_all(hello.as_bytes()).expect("a hello");
    let mut answered = 0;
    for first in (1..=MISSED).step_by(100) {
        let says: String = (first..first + 100)
            .map(|it| {
                let say = format!("\"room\":1,\"client_id\":\"ben-{it}\",\"text\":\"word {it}\"");
                format!("{{\"id\":{it},\"say\":{{{say}}}}}\n")
            })
            .collect();
        talker.write_all(says.as_bytes()).expect("says");
        while answered < first + 99 {
            let line = lines.next().expect("a line").expect("a line");
            assert!(!line.contains("refused"), "{line}");
            answered += usize::from(line.contains("\"said\":{"));
        }
    }

    let began = Instant::now();
    let mut apps = vec![Headless::open(&profile)];
    wait(&mut apps, "all of it is there", |apps| apps[0].texts().len() == MISSED);
    println!("caught up with {MISSED} messages in {:?}", began.elapsed());
    let expected: Vec<_> = (1..=MISSED).map(|it| format!("word {it}")).collect();
    assert_eq!(apps[0].texts(), expected);
    assert_eq!(apps[0].model.rooms[&LOBBY_ID].unread(), MISSED as u64);
}

#[test]
fn a_server_that_was_reinstalled_is_trusted_again_only_when_one_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = folder.path().join("server");
    let mut served = Served::start(&server);
    let profile = folder.path().join("app");
    let mut apps = vec![Headless::open(&profile)];
    apps[0].want(Intent::Join { name: "Ann".to_owned(), address: served.address() });
    wait(&mut apps, "she is in", |apps| apps[0].model.link == LinkState::Online);
    let known = apps[0].model.key.expect("an encrypted connection");
    served.stop();
    for file in ["key.pem", "cert.pem"] {
        std::fs::remove_file(server.join(file)).unwrap_or_default();
    }
    served.go_on();
    // Also after a restart of the app.
    for is_restarted in [false, true] {
        if is_restarted {
            drop(apps.remove(0));
            apps.push(Headless::open(&profile));
        }
        wait(&mut apps, "she is asked", |apps| apps[0].model.key_changed.is_some());
        let changed = apps[0].model.key_changed.clone().expect("a question");
        assert!(changed.known == known && changed.found != known, "{changed:?}");
        assert_eq!(apps[0].model.next_wake(), None, "nothing is tried again");
    }
    let found = apps[0].model.key_changed.as_ref().map(|it| it.found);
    apps[0].want(Intent::TrustKey);
    wait(&mut apps, "she is back", |apps| apps[0].model.link == LinkState::Online);
    assert_eq!(apps[0].model.key, found);
    drop(apps);
    let mut apps = vec![Headless::open(&profile)];
    wait(&mut apps, "the new key is kept", |apps| apps[0].model.link == LinkState::Online);
}

//! A desktop for tests: an X server without a screen, a keyboard, a camera, a chat server and
//! somebody at the other end of the wire. Whatever is missing fails the test; nothing is skipped.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use parlor_shared::frame::line;
use parlor_shared::request::{Hello, Say};
use parlor_shared::{
    Event, Fact, LOBBY_ID, PROTOCOL, Request, RequestFrame, RequestId, ServerFrame,
};

/// Nothing here takes this long on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        Self(command.spawn().unwrap_or_else(|error| {
            panic!("{name} does not start: {error}. `.ci/run` installs what is missing")
        }))
    }

    /// As `kill -9`.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("ours to kill");
        self.0.wait().expect("ours to wait for");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An X server whose picture is a file.
pub(crate) struct Desktop {
    _server: Running,
    display: String,
    picture: PathBuf,
    folder: tempfile::TempDir,
}

impl Desktop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("Xvfb");
        command
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x800x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .arg("-fbdir")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Running::start(&mut command);
        let mut number = String::new();
        let out = server.0.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut number).expect("Xvfb says its number");
        let picture = folder.path().join("Xvfb_screen0");
        Self { _server: server, display: format!(":{}", number.trim()), picture, folder }
    }

    /// A folder of this test's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The app, with its profiles in this desktop's folder and a theme that is known.
    pub(crate) fn app(&self, profile: &str, arguments: &[&str]) -> Running {
        let home = self.folder.path().join("app");
        let settings = home.join("profiles").join(profile);
        fs::create_dir_all(&settings).expect("a folder");
        fs::write(settings.join("settings.json"), r#"{"appearance":"dark"}"#).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command
            .arg("--data-dir")
            .arg(home)
            .args(["--profile", profile])
            .args(arguments)
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            // Nobody's real keyring is a test's business.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .current_dir(self.folder.path());
        Running::start(&mut command)
    }

    pub(crate) fn xdotool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("xdotool");
        command.args(arguments).env("DISPLAY", &self.display).stderr(Stdio::null());
        let done = command.output().expect("xdotool runs; `.ci/run` installs it");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Asks until there is an answer, and keeps a picture for whoever looks at a failure
    /// (ImageMagick reads it as `xwd:`).
    pub(crate) fn wait_for<T>(&self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            if Instant::now() > deadline {
                let name = format!("failed-{}.xwd", std::process::id());
                let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
                fs::copy(&self.picture, &kept).ok();
                panic!("waited in vain for {what}; the screen is in {}", kept.display());
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    /// Waits for the app's window and gives it the keyboard: there is no window manager to.
    pub(crate) fn focus(&self, app: &Running) {
        let pid = app.0.id().to_string();
        let window = self.wait_for("a window", || {
            let found = self.xdotool(&["search", "--onlyvisible", "--pid", &pid]);
            found.lines().last().map(str::to_owned)
        });
        self.xdotool(&["windowmove", &window, "0", "0"]);
        self.xdotool(&["windowfocus", "--sync", &window]);
    }

    pub(crate) fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "15", text]);
    }

    pub(crate) fn key(&self, key: &str) {
        self.xdotool(&["key", key]);
    }

    /// Presses a key and waits for what it changes: two keys in one frame move the focus once.
    pub(crate) fn key_and_see(&self, key: &str) {
        let before = self.pixels();
        self.key(key);
        self.wait_for("a change of the picture", || (self.pixels() != before).then_some(()));
    }

    /// How many pixels have exactly this colour.
    pub(crate) fn count(&self, colour: egui::Color32) -> usize {
        let wanted = [colour.r(), colour.g(), colour.b()];
        self.pixels().iter().filter(|it| **it == wanted).count()
    }

    /// The whole screen: the file is an X window dump, its header big-endian numbers.
    fn pixels(&self) -> Vec<[u8; 3]> {
        let bytes = fs::read(&self.picture).expect("Xvfb's picture");
        let number = |at: usize| {
            let field = bytes[at * 4..at * 4 + 4].try_into().expect("four bytes");
            u32::from_be_bytes(field) as usize
        };
        let (header, width, height) = (number(0), number(4), number(5));
        let (depth, per_line, colours) = (number(11), number(12), number(19));
        assert_eq!(depth, 32, "bits per pixel");
        let start = header + colours * 12;
        let mut pixels = Vec::with_capacity(width * height);
        for line in bytes[start..].chunks_exact(per_line).take(height) {
            // Blue first, on the machines that this runs on.
            pixels.extend(line.chunks_exact(4).take(width).map(|it| [it[2], it[1], it[0]]));
        }
        pixels
    }

    /// Hardly anything is drawn.
    pub(crate) fn is_blank(&self) -> bool {
        let pixels = self.pixels();
        let colours: std::collections::BTreeSet<_> = pixels.iter().collect();
        colours.len() < 20
    }
}

/// The app's own executable as a server, on a port of its own.
pub(crate) struct Served {
    pub(crate) address: String,
    /// Closed first: that is its signal to stop.
    _input: ChildStdin,
    process: Running,
}

impl Served {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command
            .args(["--serve", "--bind", "127.0.0.1:0", "--until-stdin-closes", "--data"])
            .arg(folder.join("server"))
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Running::start(&mut command);
        let input = process.0.stdin.take().expect("piped");
        let mut first = String::new();
        let out = process.0.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut first).expect("a first line");
        let address = first.trim().strip_prefix("Parlor listens on ");
        let address = address.unwrap_or_else(|| panic!("not a ready line: {first:?}")).to_owned();
        Self { address, _input: input, process }
    }

    /// Lets it end by itself.
    pub(crate) fn stop(self) {
        let Self { _input: input, mut process, .. } = self;
        drop(input);
        process.0.wait().expect("ours to wait for");
    }
}

/// Somebody who talks to the server without an app.
pub(crate) struct Somebody {
    wire: BufReader<TcpStream>,
    requests: u64,
}

impl Somebody {
    /// Arrives as a new guest; `None` while nobody answers there.
    pub(crate) fn arrive(address: &str, name: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut somebody = Self { wire: BufReader::new(stream), requests: 0 };
        let app = "test".parse().expect("an app's name");
        let name = Some(name.parse().expect("a name"));
        somebody.ask(Request::Hello(Hello {
            protocol: PROTOCOL,
            app,
            name,
            token: None,
            password: None,
            device: None,
            invite: None,
        }));
        somebody.hear("a welcome", |it| matches!(it, ServerFrame::Ok { .. }).then_some(()));
        Some(somebody)
    }

    fn ask(&mut self, request: Request) {
        self.requests += 1;
        let frame = RequestFrame { id: RequestId(self.requests), request };
        self.wire.get_mut().write_all(&line(&frame)).expect("written");
    }

    pub(crate) fn say(&mut self, text: &str) {
        let client_id = format!("test-{}", self.requests + 1).parse().expect("an id");
        let text = text.parse().expect("a text");
        self.ask(Request::Say(Say { room: LOBBY_ID, client_id, text }));
    }

    /// Reads until somebody else said exactly this.
    pub(crate) fn hears(&mut self, wanted: &str) {
        self.hear(wanted, |it| match it {
            ServerFrame::Event(Event::Room(event)) => {
                matches!(&event.fact, Fact::Said { text, .. } if text.as_str() == wanted)
                    .then_some(())
            }
            ServerFrame::Ok { .. } | ServerFrame::Refused { .. } | ServerFrame::Event(_) => None,
        });
    }

    fn hear<T>(&mut self, what: &str, is_it: impl Fn(&ServerFrame) -> Option<T>) -> T {
        let mut heard = String::new();
        loop {
            heard.clear();
            let count =
                self.wire.read_line(&mut heard).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(count > 0, "the wire was cut while waiting for {what}");
            let frame: ServerFrame = serde_json::from_str(&heard).expect("a frame");
            if let Some(it) = is_it(&frame) {
                return it;
            }
        }
    }
}

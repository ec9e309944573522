//! The real program, started on a port of its own, and everything that a test does to it from
//! outside: signals, fault injection, looking at its memory.
//!
//! Invariant: whatever happens in a test, the process that it started is gone afterwards.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;

/// Nothing that a test waits for takes longer on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How the program is to be started.
pub(crate) struct Setup {
    data: PathBuf,
    arguments: Vec<String>,
    /// A program with arguments that becomes ours: `strace -D …`, `ip netns exec …`.
    before: Vec<String>,
}

impl Setup {
    /// On `data`, listening on a free port of loopback, without chat logs.
    pub(crate) fn on(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), arguments: Vec::new(), before: Vec::new() }
            .with("--chatlogs", "off")
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Some(at) = self.arguments.iter().position(|it| it == name && name != "--limit") {
            self.arguments[at + 1] = value.into();
        } else {
            self.arguments.extend([name.to_owned(), value.into()]);
        }
        self
    }

    /// An argument without a value.
    pub(crate) fn flag(mut self, name: &str) -> Self {
        self.arguments.push(name.to_owned());
        self
    }

    pub(crate) fn limit(self, name: &str, value: u64) -> Self {
        self.with("--limit", format!("{name}={value}"))
    }

    /// So that a test may talk as fast as it can.
    pub(crate) fn unhurried(self) -> Self {
        ["messages_per_second", "messages_burst", "requests_per_second", "requests_burst"]
            .into_iter()
            .fold(self, |setup, name| setup.limit(name, 1_000_000))
    }

    pub(crate) fn behind(mut self, before: &[&str]) -> Self {
        self.before.extend(before.iter().map(|it| (*it).to_owned()));
        self
    }

    /// Kills the process at its `when`-th `call` (of one thread), or fails that call.
    pub(crate) fn injecting(self, call: &str, fault: &str, when: &str) -> Self {
        // -D: the tracer is the grandchild, so that our child is the server itself.
        let (trace, inject) =
            (format!("trace={call}"), format!("inject={call}:{fault}:when={when}"));
        self.behind(&["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject])
    }

    /// The command as it would be run.
    pub(crate) fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_parlor-server").to_owned();
        let mut words = self.before.iter().chain([&program]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).arg("--data").arg(&self.data);
        if !self.arguments.iter().any(|it| it == "--bind") {
            command.args(["--bind", "127.0.0.1:0"]);
        }
        command.args(&self.arguments).stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> TestServer {
        self.try_start().unwrap_or_else(|failed| panic!("the server did not start: {failed:?}"))
    }

    /// Starts it; when it ends instead of listening, how.
    pub(crate) fn try_start(self) -> Result<TestServer, Ended> {
        let said = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(said.reopen().expect("the same file"));
        let mut child = command.spawn().expect("the program can be started");
        let (lines, printed) = bounded(64);
        let out = child.stdout.take().expect("it is piped");
        let reading = std::thread::Builder::new().name("stdout".to_owned());
        let reading = reading.spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // More than a screenful is read away, so that the program never waits for us.
                lines.try_send(line).ok();
            }
        });
        let reading = Some(reading.expect("a thread"));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = TestServer { child, reading, said, address, printed };
        match server.wait_for_line("Parlor listens on ") {
            Some(address) => {
                server.address = address.parse().expect("an address");
                Ok(server)
            }
            None => {
                let status = server.wait(PATIENCE).expect("it printed nothing and did not end");
                Err(Ended { status, said: server.said() })
            }
        }
    }

    /// Runs it to its end, when it is not expected to serve.
    pub(crate) fn run(&self, verb: &[&str]) -> (Ended, String) {
        let file = || tempfile::NamedTempFile::new().expect("a temporary file");
        let (printed, said) = (file(), file());
        let mut command = self.command();
        command.args(verb).stdout(printed.reopen().expect("the same file"));
        command.stderr(said.reopen().expect("the same file"));
        let mut child = command.spawn().expect("the program can be started");
        let status = wait_for(PATIENCE, || child.try_wait().expect("our child"));
        let status = status.unwrap_or_else(|| {
            child.kill().ok();
            child.wait().ok();
            panic!("it runs instead of ending: {verb:?}")
        });
        let read = |it: &tempfile::NamedTempFile| fs::read_to_string(it.path()).expect("UTF-8");
        (Ended { status, said: read(&said) }, read(&printed))
    }
}

/// How a process ended, and what it said to standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
}

/// A running server.
pub(crate) struct TestServer {
    child: Child,
    reading: Option<JoinHandle<()>>,
    said: tempfile::NamedTempFile,
    printed: Receiver<String>,
    pub(crate) address: SocketAddr,
}

impl TestServer {
    pub(crate) fn wait_for_line(&self, start: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.printed.recv_deadline(deadline).ok()?;
            if let Some(rest) = line.strip_prefix(start) {
                return Some(rest.to_owned());
            }
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// A new guest.
    pub(crate) fn guest(&self, name: &str) -> Client {
        let mut client = self.client();
        client.hello(name).expect("a welcome");
        client
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("our child is there");
    }

    /// Waits for the process to end.
    pub(crate) fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        wait_for(patience, || self.child.try_wait().expect("our child"))
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_some()
    }

    /// Ends it as an admin does, and expects it to go well.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait(PATIENCE).expect("it stops when told to");
        assert!(status.success(), "{status}: {}", self.said());
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        if !self.has_ended() {
            self.signal(Signal::KILL);
        }
        self.wait(PATIENCE).expect("nobody survives this");
    }

    /// What it said to standard error.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.said.path()).expect("readable")
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.status("VmRSS:") * 1024
    }

    pub(crate) fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|it| it.strip_prefix(field)).expect("a field");
        line.split_whitespace().next().and_then(|it| it.parse().ok()).expect("a number")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|it| it.is_none()) {
            // A stopped process dies of this too.
            self.child.kill().ok();
            self.child.wait().ok();
        }
        if let Some(reading) = self.reading.take() {
            reading.join().ok();
        }
    }
}

/// Asks `question` until it has an answer.
pub(crate) fn wait_for<T>(
    patience: Duration,
    mut question: impl FnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = question() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        // Between two looks; what is waited for is the answer.
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Runs a program of the system that has to succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) {
    if let Err(why) = try_run(program, arguments) {
        panic!("{why}");
    }
}

pub(crate) fn try_run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {said}", arguments.join(" ")))
}

/// Some tests need to be root, a loop device or a network namespace. Where that cannot be had
/// they fail, so that nobody takes them for passed, unless `PARLOR_SKIP_PRIVILEGED=1` says that
/// it is known.
#[expect(clippy::print_stderr, reason = "a test that was not made must be seen")]
pub(crate) fn may_be_skipped(why: &str) -> bool {
    let skips = std::env::var_os("PARLOR_SKIP_PRIVILEGED").is_some_and(|it| it == "1");
    assert!(skips, "{why}; set PARLOR_SKIP_PRIVILEGED=1 to go on without this test");
    eprintln!("SKIPPED: {why}");
    true
}

/// `PARLOR_LONG=1`: everything, for as long as it takes.
pub(crate) fn is_long_run() -> bool {
    std::env::var_os("PARLOR_LONG").is_some_and(|it| it == "1")
}

/// All files under `folder` with their bytes, to see that nothing was written.
pub(crate) fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.clone(), fs::read(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

/// Copies the files of a folder that has no folders in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for (path, bytes) in snapshot(from) {
        let to = to.join(path.strip_prefix(from).expect("beneath"));
        fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
        fs::write(&to, bytes).expect("a file");
        File::open(&to).expect("there");
    }
}

//! The contestants' processes: started, watched, and ended by their own id whatever happens.
//!
//! CPU time is the sum over the threads of `/proc/PID/task/*/schedstat` (nanoseconds), memory is
//! `VmRSS` of `/proc/PID/status`.
//!
//! Invariant: a child does not outlive its `Running`: dropping it kills and reaps it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::process::{Pid, Signal, kill_process};

/// No contestant needs longer to start or to stop, on any machine worth measuring.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of a contestant's output that are kept to explain a failure.
const LINES_KEPT: usize = 20;

/// A server that listens.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From just before the program was started to its first line with the address.
    pub(crate) ready_after: Duration,
    drains: Vec<JoinHandle<()>>,
    output: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// Starts a program that prints the address it listens on.
    pub(crate) fn start_and_read(mut command: Command) -> io::Result<Self> {
        let (found_to, found) = bounded(1);
        let start = Instant::now();
        let mut running = Self::spawn(&mut command, Some(&found_to))?;
        drop(found_to);
        let (address, at) = running.wait_for(&found)?;
        running.address = address;
        running.ready_after = at - start;
        Ok(running)
    }

    /// Starts a program that listens on `address` at some time, and says so to nobody.
    pub(crate) fn start_and_try(mut command: Command, address: SocketAddr) -> io::Result<Self> {
        let start = Instant::now();
        let mut running = Self::spawn(&mut command, None)?;
        running.address = address;
        while TcpStream::connect(address).is_err() {
            let ended = running.child.try_wait()?.is_some();
            if ended || start.elapsed() > PATIENCE {
                return Err(running.failed("does not listen"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        running.ready_after = start.elapsed();
        Ok(running)
    }

    fn spawn(
        command: &mut Command,
        found: Option<&Sender<(SocketAddr, Instant)>>,
    ) -> io::Result<Self> {
        let mut child = command
            // The floor ends when its standard input does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = Arc::default();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let mut running = Self {
            child,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            ready_after: Duration::ZERO,
            drains: Vec::new(),
            output: Arc::clone(&output),
        };
        if let (Some(out), Some(err)) = (out, err) {
            running.drains.push(drain(out, Arc::clone(&output), found.cloned())?);
            running.drains.push(drain(err, output, found.cloned())?);
        }
        Ok(running)
    }

    fn wait_for(
        &self,
        found: &Receiver<(SocketAddr, Instant)>,
    ) -> io::Result<(SocketAddr, Instant)> {
        // Without a sender both outputs have ended, and so has the program.
        found.recv_timeout(PATIENCE).map_err(|_gone| self.failed("never said where it listens"))
    }

    fn failed(&self, what: &str) -> io::Error {
        let lines = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        io::Error::other(format!("the server {what}. It said:\n{}", lines.join("\n")))
    }

    /// What the program said lately, for an error that is noticed elsewhere.
    pub(crate) fn last_words(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// CPU time of its threads that live, summed by name; numbers in names do not count.
    pub(crate) fn cpu(&self) -> io::Result<BTreeMap<String, Duration>> {
        let mut cpu = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?.path();
            // A thread may end between the listing and the reading.
            let Ok(nanos) = nanos_in(&task.join("schedstat")) else { continue };
            let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
            let name = name.trim().trim_end_matches(|it: char| it.is_ascii_digit() || it == '-');
            *cpu.entry(name.to_owned()).or_default() += Duration::from_nanos(nanos);
        }
        Ok(cpu)
    }

    /// Resident memory in bytes.
    pub(crate) fn rss(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kib = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.map(|it| it * 1024).ok_or_else(|| io::Error::other("no VmRSS"))
    }

    /// Ends it as an administrator would, with SIGTERM, and waits for it.
    pub(crate) fn stop(mut self) -> io::Result<ExitStatus> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > end {
                return Err(self.failed("does not stop"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either it runs and is killed, or it has ended: reaping is right in both cases.
        self.child.kill().ok();
        self.child.wait().ok();
        for drain in self.drains.drain(..) {
            drain.join().ok();
        }
    }
}

/// CPU time of the whole machine, of everything that runs on it.
pub(crate) fn machine_cpu() -> io::Result<Duration> {
    // user, nice, system, idle, iowait, irq, softirq, steal: all but the fourth and fifth are
    // time that nobody else could have had. In hundredths of a second on every Linux.
    let stat = fs::read_to_string("/proc/stat")?;
    let times = stat.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1);
    let hundredths = times.take(8).enumerate().filter(|it| it.0 != 3 && it.0 != 4);
    let busy: u64 = hundredths.filter_map(|it| it.1.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(busy * 10))
}

/// CPU time of the calling thread, which is the load generator.
pub(crate) fn own_cpu() -> io::Result<Duration> {
    nanos_in("/proc/thread-self/schedstat".as_ref()).map(Duration::from_nanos)
}

fn nanos_in(schedstat: &std::path::Path) -> io::Result<u64> {
    let text = fs::read_to_string(schedstat)?;
    let nanos = text.split(' ').next().and_then(|it| it.parse().ok());
    nanos.ok_or_else(|| io::Error::other("schedstat without a number"))
}

/// A port that is free now.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn drain(
    from: impl Read + Send + 'static,
    output: Arc<Mutex<Vec<String>>>,
    found: Option<Sender<(SocketAddr, Instant)>>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("output".to_owned()).spawn(move || {
        let mut found = found;
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let Some(address) = address_in(&line)
                && let Some(found) = found.take()
            {
                // Somebody else may have found it in the other output.
                found.try_send((address, Instant::now())).ok();
            }
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            if output.len() == LINES_KEPT {
                output.remove(0);
            }
            output.push(line);
        }
    })
}

/// The first `127.0.0.1:PORT` in a line, escape sequences of colours and the like apart.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, behind) = line.split_once("127.0.0.1:")?;
    let digits = behind.split(|it: char| !it.is_ascii_digit()).next()?;
    let port: u16 = digits.parse().ok().filter(|it| *it > 0)?;
    Some((Ipv4Addr::LOCALHOST, port).into())
}

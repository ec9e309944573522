//! Power cuts: a file system image on which the server writes, copied as a disk is when the power
//! goes, without a sync. What was acknowledged before is in the copy.
//!
//! `kill -9` cannot show this: the kernel keeps what a dead process wrote. Shown once by hand:
//! with `synchronous=NORMAL` this test fails, with `FULL` it does not.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{self, Setup};
use crate::kill;
use crate::load::{Talker, settle};

/// A mounted image; unmounted with this value.
struct Mounted(PathBuf);

impl Mounted {
    /// `commit=300`: the file system writes by itself only every five minutes, so whatever is in
    /// the copy is there because the server asked for it.
    fn new(image: &Path, place: PathBuf) -> Result<Self, String> {
        std::fs::create_dir_all(&place).expect("a folder");
        let (image, shown) = (text(image), text(&place));
        harness::try_run("mount", &["-o", "loop,commit=300", &image, &shown])?;
        Ok(Self(place))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        harness::try_run("umount", &[&text(&self.0)])
            .or_else(|_| harness::try_run("umount", &["-l", &text(&self.0)]))
            .ok();
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

fn setup(place: &Path) -> Setup {
    Setup::on(place.join("data")).unhurried()
}

/// An empty disk in a file, and where it is mounted; `None` where that cannot be and it is known.
fn new_disk(home: &Path) -> Option<(PathBuf, Mounted)> {
    let image = home.join("image");
    harness::run("truncate", &["-s", "48M", &text(&image)]);
    harness::run("mkfs.ext4", &["-q", "-F", &text(&image)]);
    match Mounted::new(&image, home.join("disk")) {
        Ok(disk) => Some((image, disk)),
        Err(why) => {
            harness::may_be_skipped(&format!("no image can be mounted: {why}"));
            None
        }
    }
}

/// What is on the disk now, and nothing of what the kernel still keeps in memory for it.
fn cut(image: &Path) -> PathBuf {
    let copy = image.with_extension("copy");
    harness::run("cp", &["--sparse=always", &text(image), &text(&copy)]);
    copy
}

#[test]
fn after_a_power_cut_nothing_acknowledged_is_missing() {
    let rounds = if harness::is_long_run() { 25 } else { 3 };
    let mut acked = 0;
    for round in 0..rounds {
        let home = tempfile::tempdir().expect("a folder");
        let Some((image, disk)) = new_disk(home.path()) else { return };
        let server = setup(&disk.0).start();
        let mut talkers: Vec<Talker> = ["Ann", "Bob", "Cleo"]
            .map(|it| Talker::arrive(server.address, it).expect("a welcome"))
            .into();
        // Each round is cut at another moment.
        let until = Instant::now() + Duration::from_millis(200 + 170 * round);
        while Instant::now() < until {
            for talker in &mut talkers {
                talker.talk(4, 16);
            }
        }
        // More is on its way in every direction when the power goes.
        for talker in &mut talkers {
            (0..20).for_each(|_| talker.say(parlor_shared::LOBBY_ID));
        }
        talkers[0].hear_one(harness::PATIENCE);
        server.signal(Signal::STOP);
        let copy = cut(&image);
        server.kill();
        // What was on its way to the talkers had been sent before the cut.
        talkers.iter_mut().for_each(Talker::cut);
        acked += talkers.iter().map(Talker::acked).sum::<usize>();
        drop(disk);

        let disk = Mounted::new(&copy, home.path().join("again")).expect("as the first time");
        let server = setup(&disk.0).start();
        settle(&server, talkers);
        server.stop();
        drop(disk);
    }
    println!("{rounds} cuts, {acked} acknowledged before them");
    assert!(acked > 100, "hardly anything was at stake: {acked}");
}

/// Killed at its N-th fdatasync it leaves rows that were written and never synced. Whoever is told
/// after the next start that such a row is there must find it there after a power cut, too.
#[test]
fn what_was_acknowledged_after_a_kill_survives_the_power_cut_after_it() {
    let step = if harness::is_long_run() { 1 } else { 4 };
    let mut acked = 0;
    for when in (2..16).step_by(step) {
        let home = tempfile::tempdir().expect("a folder");
        let Some((image, disk)) = new_disk(home.path()) else { return };
        let data = disk.0.join("data");
        let mut talkers = kill::again(&kill::lived_in(&data));
        let fault = kill::setup(&data).injecting("fdatasync", "signal=KILL", &when.to_string());
        if let Ok(server) = fault.try_start() {
            kill::converse(&server, &mut talkers);
            server.kill();
        }
        talkers.iter_mut().for_each(Talker::cut);
        let server = kill::setup(&data).start();
        for talker in &mut talkers {
            assert!(talker.come_back(server.address));
            talker.resend();
        }
        server.signal(Signal::STOP);
        let copy = cut(&image);
        server.kill();
        talkers.iter_mut().for_each(Talker::cut);
        acked += talkers.iter().map(Talker::acked).sum::<usize>();
        drop(disk);
        let disk = Mounted::new(&copy, home.path().join("again")).expect("as the first time");
        let server = kill::setup(&disk.0.join("data")).start();
        settle(&server, talkers);
        server.stop();
        drop(disk);
    }
    assert!(acked > 50, "hardly anything was at stake: {acked}");
}

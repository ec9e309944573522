//! Power cuts: a file system image on which the server writes, copied as a disk is when the power
//! goes, without a sync. What was acknowledged before is in the copy.
//!
//! `kill -9` cannot show this: the kernel keeps what a dead process wrote. Shown once by hand:
//! with `synchronous=NORMAL` this test fails, with `FULL` it does not.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{self, Setup};
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

#[test]
fn after_a_power_cut_nothing_acknowledged_is_missing() {
    let rounds = if harness::is_long_run() { 25 } else { 3 };
    let mut acked = 0;
    for round in 0..rounds {
        let home = tempfile::tempdir().expect("a folder");
        let (image, copy) = (home.path().join("image"), home.path().join("copy"));
        harness::run("truncate", &["-s", "48M", &text(&image)]);
        harness::run("mkfs.ext4", &["-q", "-F", &text(&image)]);
        let disk = match Mounted::new(&image, home.path().join("disk")) {
            Ok(disk) => disk,
            Err(why) => {
                harness::may_be_skipped(&format!("no image can be mounted: {why}"));
                return;
            }
        };
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
        harness::run("cp", &["--sparse=always", &text(&image), &text(&copy)]);
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

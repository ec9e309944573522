//! What is erased goes from the logs, whenever they are looked at and whatever ends them.

use std::fs;

use parlor_server::chat::Record;
use parlor_shared::{Fact, RoomId, Seq, UnixMillis, UserId, UserName};
use proptest::prelude::*;

use super::{DAY, House, NOVEMBER, files_in, kill};
use crate::harness;

impl House {
    fn erase(&mut self, room: RoomId, user: UserId, at: u64) {
        let through = self.rooms[&room].0;
        self.blank(user, Some((room, through)));
        self.happen(room, user, at, Fact::Erased { user, through });
    }

    fn blank(&mut self, user: UserId, of: Option<(RoomId, Seq)>) {
        self.oracle.rewrite(&self.names, |event| {
            let is_meant = of.is_none_or(|(room, seq)| event.room == room && event.seq <= seq);
            if let Fact::Said { nth, client_id, .. } = event.fact
                && event.by == user
                && is_meant
            {
                event.fact = Fact::Blank { nth, client_id };
            }
        });
    }

    fn delete(&mut self, user: UserId, erase: bool, at: u64) {
        for room in self.rooms.keys().copied().collect::<Vec<_>>() {
            if self.oracle.is_member(room, user) {
                self.leave(room, user, at);
            }
        }
        if erase {
            self.blank(user, None);
        }
        self.oracle.forget(user);
        self.oracle.rewrite(&self.names, |event| {
            if event.by == user {
                event.name = UserName::former();
            }
        });
        self.save(&[Record::Deleted { user, erase, until: UnixMillis(9) }]);
    }

    fn rename(&mut self, user: UserId, name: &str) {
        let (until, released) = (UnixMillis(9), None);
        let record = Record::Renamed { user, name: name.parse().unwrap(), until, released };
        self.save(&[record]);
        self.names.insert(user, name.to_owned());
        self.oracle.rewrite(&self.names, |_| {});
    }

    fn assert_nowhere(&self, words: &str) {
        for (name, text) in files_in(&self.logs()) {
            assert!(!text.contains(words) && !name.contains(words), "{words} is in {name}");
        }
    }

    /// The same comes out of the store when all that is left is the store.
    fn assert_comes_back(&self) {
        let before = files_in(&self.logs());
        fs::remove_dir_all(self.logs()).unwrap();
        fs::remove_file(self.place.path().join("chatlog.sqlite")).unwrap();
        self.follow();
        assert_eq!(files_in(&self.logs()), before);
    }
}

/// Three in the lobby who say something in two months; the logs have it.
fn three() -> (House, [UserId; 3]) {
    let mut house = House::new();
    let users = ["Ann", "Bea", "Cid"].map(|it| house.user(it));
    users.iter().for_each(|it| house.join(RoomId(1), *it, NOVEMBER));
    for day in 0..3 {
        for user in users {
            house.say(RoomId(1), user, NOVEMBER + day * DAY, &format!("word of {user}"));
        }
    }
    house.follow();
    house.assert_right();
    (house, users)
}

#[test]
fn erased_messages_go_from_everybodys_logs() {
    let (mut house, [ann, bea, _]) = three();
    house.erase(RoomId(1), ann, NOVEMBER + 3 * DAY);
    house.say(RoomId(1), ann, NOVEMBER + 4 * DAY, "said later");
    house.follow();
    house.assert_nowhere("word of 1");
    house.assert_right();
    let text = fs::read_to_string(house.file(bea, "2026-12.log")).unwrap();
    assert!(text.contains("\tAnn\tblank\n") && text.contains("\tAnn\terased"), "{text}");
    assert!(text.contains("said later"), "{text}");
    house.assert_comes_back();
    assert_eq!(house.follow().bytes_written, 0);
}

#[test]
fn the_log_of_somebody_who_is_gone_goes_and_the_name_with_it() {
    for erase in [false, true] {
        let (mut house, [ann, bea, _]) = three();
        let folder = house.file(ann, "x").parent().unwrap().to_owned();
        house.delete(ann, erase, NOVEMBER + 3 * DAY);
        house.follow();
        assert!(!folder.exists());
        house.assert_nowhere("Ann");
        house.assert_right();
        let text = fs::read_to_string(house.file(bea, "2026-11.log")).unwrap();
        assert_eq!(text.contains("word of 1"), !erase, "{text}");
        assert!(text.contains("\tformer user\t"), "{text}");
        house.assert_comes_back();
    }
}

/// An old name's folder would keep what is erased in the new one's.
#[test]
fn a_renamed_user_has_one_folder() {
    let (mut house, [ann, ..]) = three();
    house.rename(ann, "Hannah");
    house.say(RoomId(1), ann, NOVEMBER + 3 * DAY, "under another name");
    assert!(house.follow().bytes_written < 1_000, "nothing is written again");
    house.assert_right();
    house.rename(ann, "Anna");
    house.erase(RoomId(1), ann, NOVEMBER + 4 * DAY);
    house.follow();
    house.assert_right();
    house.assert_nowhere("word of 1");
}

#[test]
fn killed_at_any_call_while_it_erases_it_erases_all() {
    if let Err(why) = harness::try_run("strace", &["-V"]) {
        assert!(harness::may_be_skipped(&why));
        return;
    }
    let (mut house, [ann, bea, cid]) = three();
    kill::limits(&mut house.limits);
    let before = tempfile::tempdir().unwrap();
    kill::copy(house.place.path(), before.path());
    house.erase(RoomId(1), bea, NOVEMBER + 3 * DAY);
    house.say(RoomId(1), cid, NOVEMBER + 3 * DAY, "in between");
    house.delete(ann, true, NOVEMBER + 4 * DAY);
    house.oracle.limit(house.limits.chatlog_user_bytes, &house.names);
    let mut kills = 0;
    for call in ["writev", "pwrite64", "ftruncate", "unlinkat", "mkdirat"] {
        for when in 1.. {
            kill::copy(before.path(), house.place.path());
            if !kill::follow_and_die(&house, call, when) {
                break;
            }
            kills += 1;
            let figures = house.follow();
            assert_eq!((figures.lag(), figures.behind), (0, 0), "killed at {call} {when}");
            house.assert_right();
        }
    }
    println!("{kills} kills");
    assert!(kills > 20, "{kills}");
}

#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Say(usize),
    Erase(usize),
    Delete(usize, bool),
    Rename(usize),
    Time(u64),
    Follow,
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..4_usize;
    prop_oneof![
        4 => user.clone().prop_map(Step::Join),
        2 => user.clone().prop_map(Step::Leave),
        12 => user.clone().prop_map(Step::Say),
        2 => user.clone().prop_map(Step::Erase),
        1 => (user.clone(), any::<bool>()).prop_map(|(user, erase)| Step::Delete(user, erase)),
        1 => user.prop_map(Step::Rename),
        2 => (1..40_u64).prop_map(Step::Time),
        3 => Just(Step::Follow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_logs_say_what_is_left_whenever_they_are_looked_at(
        steps in prop::collection::vec(step(), 1..60),
        limit in prop_oneof![Just(1_u64 << 28), 300..2_000_u64],
    ) {
        let mut house = House::limited(|limits| limits.chatlog_user_bytes = limit);
        let mut users: Vec<UserId> = ["Ann", "Bea", "Cid", "Dan"].map(|it| house.user(it)).into();
        let (lobby, mut at, mut number) = (RoomId(1), NOVEMBER, 0);
        for step in steps {
            (at, number) = (at + 1_234, number + 1);
            match step {
                Step::Join(user) if !house.oracle.is_member(lobby, users[user]) => {
                    house.join(lobby, users[user], at);
                }
                Step::Leave(user) if house.oracle.is_member(lobby, users[user]) => {
                    house.leave(lobby, users[user], at);
                }
                Step::Say(user) if house.oracle.is_member(lobby, users[user]) => {
                    house.say(lobby, users[user], at, &format!("words {number}"));
                }
                Step::Join(_) | Step::Leave(_) | Step::Say(_) => {}
                Step::Erase(user) => house.erase(lobby, users[user], at),
                Step::Delete(user, erase) => {
                    house.delete(users[user], erase, at);
                    users[user] = house.user(&format!("New {number}"));
                }
                Step::Rename(user) => house.rename(users[user], &format!("Other {number}")),
                Step::Time(days) => at += days * DAY,
                Step::Follow => {
                    house.follow();
                    house.assert_right();
                }
            }
        }
        house.follow();
        house.assert_right();
        house.assert_comes_back();
    }
}

//! What admins decide while the server runs steers what it does by itself: its backups.

use std::path::Path;

use parlor_shared::reply::Storage;
use parlor_shared::request::{Nothing, SetPolicy};
use parlor_shared::{LOBBY_ID, Policy, Refusal, Reply, Request, UnixMillis};

use crate::client::Client;
use crate::harness::{PATIENCE, Setup, TestServer, wait_for};

const HOUR: u64 = 60 * 60 * 1000;

/// A server that makes a backup as soon as one is due.
fn start(data: &Path) -> TestServer {
    Setup::on(data).limit("backup_delay_millis", 1).limit("disk_free_bytes", 1).start()
}

fn storage(client: &mut Client) -> Storage {
    let reply = client.ask(Request::Storage(Nothing {}));
    let Ok(Reply::Storage(it)) = reply else { panic!("{reply:?}") };
    *it
}

/// Changes the policy; what it is then.
fn set(client: &mut Client, change: SetPolicy) -> Policy {
    let reply = client.ask(Request::SetPolicy(change));
    let Ok(Reply::Policy(policy)) = reply else { panic!("{reply:?}") };
    policy
}

fn wait_until(client: &mut Client, is: impl Fn(&Storage) -> bool) -> Storage {
    let seen = wait_for(PATIENCE, || Some(storage(client)).filter(|it| is(it)));
    seen.unwrap_or_else(|| panic!("{:?}", storage(client)))
}

/// How many whole backups there are.
fn backups(data: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(data.join("backups")) else { return 0 };
    let paths = entries.map(|it| it.expect("an entry").path());
    paths.filter(|it| it.extension().is_some_and(|it| it == "tar")).count()
}

#[test]
fn the_policy_steers_the_backups_of_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let server = Setup::on(data).start();
    let mut ann = server.guest("ann");
    let denied = ann.ask(Request::SetPolicy(SetPolicy::default()));
    assert_eq!(denied, Err(Refusal::NotAllowed));
    let (ended, _) = Setup::on(data).run(&["admin", "role", "ann", "admin"]);
    assert!(ended.status.success(), "{}", ended.said);
    ann.say(LOBBY_ID, "d-1", "worth keeping").expect("said");
    // By itself once a day, and never right after the start.
    assert_eq!(set(&mut ann, SetPolicy::default()), Policy::default());
    let due = wait_until(&mut ann, |it| it.next_backup_at > UnixMillis(0)).next_backup_at;
    let never = SetPolicy { backup_hours: Some(0), ..SetPolicy::default() };
    assert_eq!(set(&mut ann, never).backup_hours, 0);
    wait_until(&mut ann, |it| it.next_backup_at == UnixMillis(0));
    let daily = SetPolicy { backup_hours: Some(24), ..SetPolicy::default() };
    set(&mut ann, daily);
    wait_until(&mut ann, |it| it.next_backup_at >= due);
    set(&mut ann, never);
    server.stop();
    // The policy is kept: nothing is made by a server on which everything would be due at once.
    let server = start(data);
    let token = ann.token.expect("a token");
    let mut ann = server.client();
    ann.resume(token).expect("known");
    let nothing = storage(&mut ann);
    assert_eq!((nothing.next_backup_at, nothing.last_backup), (UnixMillis(0), None));
    assert_eq!(backups(data), 0);
    // One that is due now is made now.
    set(&mut ann, SetPolicy { backup_hours: Some(1), ..SetPolicy::default() });
    let first = wait_until(&mut ann, |it| it.last_backup.is_some());
    let made = first.last_backup.expect("made");
    assert_eq!((backups(data), first.backup_failed.as_str()), (1, ""));
    assert!(made.bytes > 0 && first.backup_bytes >= made.bytes, "{first:?}");
    let due = wait_until(&mut ann, |it| it.next_backup_at > made.at).next_backup_at;
    assert!(due.since(made.at) <= HOUR + HOUR / 60, "{due} after {}", made.at);
    server.stop();
}

#[test]
fn a_backup_is_made_when_asked_for_and_as_many_are_kept_as_the_policy_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let server = Setup::on(data).limit("disk_free_bytes", 1).start();
    let mut ann = server.guest("ann");
    let (ended, _) = Setup::on(data).run(&["admin", "role", "ann", "admin"]);
    assert!(ended.status.success(), "{}", ended.said);
    let mut made_at = UnixMillis(0);
    for count in [1, 2, 3] {
        assert_eq!(ann.ask(Request::BackUp(Nothing {})), Ok(Reply::Done {}));
        let latest = |it: &Storage| it.last_backup.map_or(UnixMillis(0), |it| it.at);
        made_at = latest(&wait_until(&mut ann, |it| latest(it) > made_at));
        assert_eq!(backups(data), count);
    }
    let policy = set(&mut ann, SetPolicy { backup_keep: Some(2), ..SetPolicy::default() });
    assert_eq!(policy.backup_keep, 2);
    let seen = wait_for(PATIENCE, || {
        ann.ask(Request::BackUp(Nothing {})).ok();
        (backups(data) == 2).then_some(())
    });
    assert!(seen.is_some(), "{} are kept", backups(data));
    server.stop();
}

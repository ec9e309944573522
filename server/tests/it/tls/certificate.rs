//! The key that stays, the certificate around it, and the operator's own files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlor_server::identity::{Identity, KEY_FILE};
use parlor_shared::Reply;
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use rustls::pki_types::CertificateDer;

use super::{BOTH, House, key_of};
use crate::harness::{PATIENCE, Setup, snapshot, wait_for};
use crate::pinned::{Pin, fingerprint};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// From when to when a certificate is good, read from its bytes: both times stand one after the
/// other, as UTCTime.
fn life(certificate: &CertificateDer<'_>) -> [String; 2] {
    let mut times = certificate.windows(15).filter_map(|it| {
        let digits = it.strip_prefix(&[0x17, 13])?;
        Some(String::from_utf8_lossy(digits).into_owned())
    });
    [times.next().unwrap(), times.next().unwrap()]
}

#[test]
fn the_key_stays_and_the_certificate_does_not() {
    let data = tempfile::tempdir().unwrap();
    let mut shown = Vec::new();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let server = Setup::on(data.path()).start();
        let key = key_of(&server);
        let pin = Pin::new(key);
        let mut client = server.client().over(pin.client(BOTH));
        client.hello(&format!("guest {}", keys.len())).unwrap();
        shown.extend(pin.shown());
        keys.push(key);
        server.stop();
    }
    assert_eq!(keys[0], keys[1], "another key after a restart");
    assert_ne!(shown[0], shown[1], "one certificate with one number for both");
    let mode = fs::metadata(data.path().join(KEY_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!snapshot(data.path()).iter().any(|it| it.0.ends_with("key.pem.new")));
}

#[test]
fn a_certificate_lives_a_year_and_is_renewed_with_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    // 2026-06-01 00:00:00 UTC.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_272_000);
    let identity = Arc::new(Identity::own(folder.path(), now).unwrap());
    let first = identity.certificates().remove(0);
    assert_eq!(life(&first), ["260531000000Z", "270531000000Z"]);
    let key = identity.fingerprint();
    assert_eq!(fingerprint(&first), key);
    // A month before its end, and not before that.
    identity.renew_if_due(now + 300 * DAY);
    assert_eq!(identity.certificates(), std::slice::from_ref(&first));
    identity.renew_if_due(now + 335 * DAY);
    let second = identity.certificates().remove(0);
    assert_eq!(life(&second)[1], "280430000000Z");
    assert_eq!(fingerprint(&second), key);
    // A clock that was wrong when it was made.
    identity.renew_if_due(now - 400 * DAY);
    assert_eq!(life(&identity.certificates().remove(0))[0], "250426000000Z");
    assert_eq!(identity.fingerprint(), key);
}

/// A damaged key is not replaced: everybody would be warned of a new one.
#[test]
fn a_damaged_key_is_said_and_kept() {
    let data = tempfile::tempdir().unwrap();
    Setup::on(data.path()).start().stop();
    let path = data.path().join(KEY_FILE);
    fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    let ended = Setup::on(data.path()).try_start().err().unwrap();
    assert_eq!(ended.status.code(), Some(65), "{}", ended.said);
    assert!(ended.said.contains("is damaged"), "{}", ended.said);
    assert!(fs::read_to_string(&path).unwrap().contains("AAAA"), "it was replaced");
}

/// Writes a key and a certificate for it; says what the key is told by.
fn bring(folder: &Path, name: &str) -> parlor_shared::Fingerprint {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["chat.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.join(format!("{name}.cert")), certificate.pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    fingerprint(certificate.der())
}

fn shown(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

#[test]
fn the_operators_certificate_is_shown_and_read_again_when_told() {
    let files = tempfile::tempdir().unwrap();
    let first = bring(files.path(), "now");
    let (cert, key) = (shown(files.path(), "now.cert"), shown(files.path(), "now.key"));
    let house = House::start(|it| it.with("--cert", cert).with("--key", key));
    assert_eq!(house.key, first);
    let mut before = house.guest("before");

    let is_shown = |key| {
        let mut client = house.server.client().over(Pin::new(key).client(BOTH));
        client.send_hello(None, None);
        client.frame(PATIENCE).is_ok()
    };
    // A reload that fails changes nothing: first a pair that does not match, then the right one.
    let second = bring(files.path(), "next");
    fs::copy(files.path().join("next.cert"), files.path().join("now.cert")).unwrap();
    house.server.signal(Signal::HUP);
    let said = wait_for(PATIENCE, || house.log().contains("stays as it was").then_some(()));
    said.expect("it says that it could not");
    assert!(is_shown(first) && !is_shown(second));
    fs::copy(files.path().join("next.key"), files.path().join("now.key")).unwrap();
    house.server.signal(Signal::HUP);
    wait_for(PATIENCE, || is_shown(second).then_some(())).expect("the new one is shown");
    assert!(!is_shown(first));
    assert_eq!(before.ping(), Ok(Reply::Pong {}), "who was here before stays");
    house.server.stop();
}

#[test]
fn files_that_cannot_be_used_are_said_and_nothing_is_written() {
    let files = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    bring(files.path(), "a");
    bring(files.path(), "b");
    fs::write(files.path().join("empty"), "").unwrap();
    fs::write(files.path().join("noise"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(files.path().join("damaged"), damaged).unwrap();
    for (cert, key, code, words) in [
        (Some("a.cert"), None, 64, "there is a certificate, and no key for it"),
        (None, Some("a.key"), 64, "there is a key, and no certificate for it"),
        (Some("none"), Some("a.key"), 66, "none cannot be read"),
        (Some("a.cert"), Some("none"), 66, "none cannot be read"),
        (Some("a.cert"), Some("."), 66, "it is not a file"),
        (Some("empty"), Some("a.key"), 66, "empty holds no certificate"),
        (Some("noise"), Some("a.key"), 66, "noise holds no certificate"),
        (Some("damaged"), Some("a.key"), 66, "damaged is damaged"),
        (Some("a.cert"), Some("a.cert"), 66, "a.cert holds no private key"),
        (Some("a.key"), Some("a.key"), 66, "a.key holds no certificate"),
        (Some("a.cert"), Some("b.key"), 66, "was made for another key than the one in"),
    ] {
        let mut setup = Setup::on(home.path().join("new"));
        for (option, file) in [("--cert", cert), ("--key", key)] {
            if let Some(file) = file {
                setup = setup.with(option, shown(files.path(), file));
            }
        }
        let ended = setup.try_start().err().expect("it does not start");
        assert_eq!(ended.status.code(), Some(code), "{cert:?} {key:?}: {}", ended.said);
        assert!(ended.said.contains(words), "{cert:?} {key:?}: {}", ended.said);
        assert_eq!(ended.said.lines().count(), 1, "{}", ended.said);
        assert!(!home.path().join("new").exists(), "{cert:?} {key:?}: something was written");
    }
}

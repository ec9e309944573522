//! The connection through TLS, against a server of a few lines: what is said arrives however it
//! is cut, and nothing is said to whoever is not who was meant.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_desktop::model::{Closed, LinkNews};
use parlor_shared::{Fingerprint, frame};
use proptest::prelude::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use sha2::{Digest as _, Sha256};

use crate::link::{PATIENCE, Window, notice, ping};

/// A server's key and its certificate.
pub(crate) struct Identity {
    key: rcgen::KeyPair,
    certificate: CertificateDer<'static>,
}

impl Identity {
    pub(crate) fn new() -> Self {
        Self::of(rcgen::KeyPair::generate().expect("a key"), "somebody")
    }

    fn of(key: rcgen::KeyPair, name: &str) -> Self {
        let parameters = rcgen::CertificateParams::new([name.to_owned()]).expect("parameters");
        let certificate = parameters.self_signed(&key).expect("a certificate").der().clone();
        Self { key, certificate }
    }

    /// Another certificate with the same key, long out of date.
    fn renewed(&self) -> Self {
        let key = rcgen::KeyPair::try_from(self.key.serialize_der()).expect("the key");
        let mut parameters =
            rcgen::CertificateParams::new(["renewed".to_owned()]).expect("parameters");
        parameters.not_before = rcgen::date_time_ymd(2001, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2002, 1, 1);
        let certificate = parameters.self_signed(&key).expect("a certificate").der().clone();
        Self { key, certificate }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        use rcgen::PublicKeyData as _;
        Fingerprint(Sha256::digest(self.key.subject_public_key_info()).into())
    }

    fn config(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .expect("a certificate with its key");
        Arc::new(config)
    }
}

pub(crate) type Wire = StreamOwned<ServerConnection, TcpStream>;

/// Where a server of this test listens.
fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

/// Takes the next connection and agrees on keys, as far as that goes.
fn accept(listener: &TcpListener, config: Arc<ServerConfig>) -> (Wire, std::io::Result<()>) {
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("an option");
    let mut tls = ServerConnection::new(config).expect("a connection");
    let mut done = Ok(());
    while done.is_ok() && (tls.is_handshaking() || tls.wants_write()) {
        done = tls.complete_io(&mut stream).map(|_| ());
    }
    (StreamOwned::new(tls, stream), done)
}

/// A server with this identity, and a window that is connected to it.
fn pair_of(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> (Wire, Window) {
    let (listener, address) = listen();
    let mut window = Window::open(&address, Some(identity.fingerprint()));
    let (wire, done) = accept(&listener, identity.config(versions));
    done.expect("keys");
    assert_eq!(window.news(), LinkNews::Connected { key: Some(identity.fingerprint()) });
    (wire, window)
}

fn pair() -> (Wire, Window) {
    pair_of(&Identity::new(), rustls::ALL_VERSIONS)
}

#[test]
fn frames_go_both_ways_in_order_with_either_version() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (mut server, mut window) = pair_of(&Identity::new(), &[version]);
        for id in 1..=500 {
            window.link.send(ping(id));
        }
        let mut lines = BufReader::new(&mut server).lines();
        for id in 1..=500 {
            let line = lines.next().expect("a line").expect("a line");
            assert_eq!(frame::parse_request(&line).expect("a request"), ping(id));
        }
        let mut bytes = Vec::new();
        for number in 1..=5_000 {
            frame::encode_line(&notice(number), &mut bytes);
        }
        let writer = std::thread::Builder::new();
        let writer = writer.spawn(move || server.write_all(&bytes).map(|()| server));
        for number in 1..=5_000 {
            assert_eq!(window.news(), LinkNews::Frame(notice(number)));
        }
        let mut server = writer.expect("a thread").join().expect("its end").expect("written");
        // Both at once: neither side waits for the other.
        window.link.send(ping(501));
        server.write_all(&frame::line(&notice(5_001))).expect("a frame");
        assert_eq!(window.news(), LinkNews::Frame(notice(5_001)));
        server.sock.shutdown(Shutdown::Both).expect("its end");
        assert_eq!(window.news(), LinkNews::Closed(Closed::Lost));
    }
}

#[test]
fn requests_flow_while_a_flood_comes_in() {
    let (server, mut window) = pair();
    let StreamOwned { conn: tls, sock: stream } = server;
    // The server's own two halves: it floods, and reads what the window asks meanwhile.
    let mut server = StreamOwned::new(tls, stream);
    let flood: Vec<u8> = (1..=2_000).flat_map(|it| frame::line(&notice(it)).to_vec()).collect();
    for id in 1..=200 {
        window.link.send(ping(id));
    }
    let writer = std::thread::Builder::new();
    let writer = writer.spawn(move || {
        server.write_all(&flood).expect("a flood");
        let mut lines = BufReader::new(&mut server).lines();
        for id in 1..=200 {
            let line = lines.next().expect("a line").expect("a line");
            assert_eq!(frame::parse_request(&line).expect("a request"), ping(id));
        }
    });
    for number in 1..=2_000 {
        assert_eq!(window.news(), LinkNews::Frame(notice(number)));
    }
    writer.expect("a thread").join().expect("all was asked");
}

#[test]
fn new_keys_in_the_middle_of_a_chat_are_answered_by_the_writer() {
    let (mut server, mut window) = pair_of(&Identity::new(), &[&rustls::version::TLS13]);
    for round in 1..=50 {
        server.conn.refresh_traffic_keys().expect("new keys");
        server.write_all(&frame::line(&notice(round))).expect("a frame");
        assert_eq!(window.news(), LinkNews::Frame(notice(round)));
        window.link.send(ping(round));
        let mut line = String::new();
        BufReader::new(&mut server).read_line(&mut line).expect("a line");
        assert_eq!(frame::parse_request(line.trim_end()).expect("a request"), ping(round));
    }
}

#[test]
fn the_first_key_is_told_and_a_renewed_certificate_is_the_same_key() {
    let identity = Identity::new();
    for (shown, pin) in [(&identity, None), (&identity.renewed(), Some(identity.fingerprint()))] {
        let (listener, address) = listen();
        let mut window = Window::open(&address, pin);
        let (_wire, done) = accept(&listener, shown.config(rustls::ALL_VERSIONS));
        done.expect("keys");
        assert_eq!(window.news(), LinkNews::Connected { key: Some(identity.fingerprint()) });
    }
}

/// All bytes that the window still says on this socket.
fn rest(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // An end by force is an end too.
    stream.read_to_end(&mut bytes).unwrap_or_default();
    bytes
}

#[test]
fn nothing_is_said_to_somebody_with_another_key() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (known, found) = (Identity::new(), Identity::new());
        let (listener, address) = listen();
        let mut window = Window::open(&address, Some(known.fingerprint()));
        // What is wanted before the keys are agreed on must not slip out.
        window.link.send(ping(1));
        let (mut wire, done) = accept(&listener, found.config(&[version]));
        let (known, found) = (known.fingerprint(), found.fingerprint());
        assert_eq!(window.news(), LinkNews::Closed(Closed::KeyChanged { known, found }));
        // The window's answer is an alert, and that is all.
        let mut said = Vec::new();
        let read = done.and_then(|()| wire.read_to_end(&mut said).map(|_| ()));
        assert!(read.is_err(), "an alert ends the handshake");
        assert_eq!(said, b"");
    }
}

#[test]
fn somebody_else_s_certificate_proves_nothing() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (known, thief) = (Identity::new(), Identity::new());
        // The known certificate, signed for with another key.
        let provider = rustls::crypto::ring::default_provider();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(thief.key.serialize_der()));
        let key: Arc<dyn SigningKey> = provider.key_provider.load_private_key(key).expect("a key");
        let shown = CertifiedKey::new(vec![known.certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown)));
        for pin in [Some(known.fingerprint()), None] {
            let (listener, address) = listen();
            let mut window = Window::open(&address, pin);
            let (_wire, done) = accept(&listener, Arc::new(config.clone()));
            assert_eq!(window.news(), LinkNews::Closed(Closed::NotPrivate));
            // Its own view of the handshake may be over; nothing came of it.
            drop(done);
        }
    }
}

#[test]
fn a_server_that_speaks_in_the_open_is_not_spoken_to() {
    for (says, closed) in [
        ("{\"refused\":{\"malformed\":{}}}\n", Closed::NotPrivate),
        ("{\"refused\":{\"code\":\"banned\"},\"says\":\"No.\"}\n", Closed::NotPrivate),
        ("{\"refused\":{\"code\":\"too_many_connections\"},\"says\":\"Full.\"}\n", Closed::Full),
        // A fatal alert: no version in common.
        ("\u{15}\u{3}\u{3}\0\u{2}\u{2}F", Closed::NotPrivate),
        ("SSH-2.0-OpenSSH_9.2\r\n", Closed::NotParlor),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Closed::NotParlor),
        ("220 mail.example ESMTP\r\n", Closed::NotParlor),
        ("", Closed::Lost),
    ] {
        let (listener, address) = listen();
        let mut window = Window::open(&address, None);
        window.link.send(ping(1));
        let (mut server, _) = listener.accept().expect("a connection");
        server.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        server.write_all(says.as_bytes()).expect("written");
        server.shutdown(Shutdown::Write).expect("its end");
        assert_eq!(window.news(), LinkNews::Closed(closed), "{says:?}");
        let heard = rest(&server);
        assert!(!heard.windows(4).any(|it| it == b"ping"), "nothing falls back to plain text");
    }
}

#[test]
fn another_protocol_inside_tls_is_not_a_parlor() {
    let (mut server, mut window) = pair();
    server.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("an answer");
    assert_eq!(window.news(), LinkNews::Closed(Closed::NotParlor));
}

#[test]
fn a_handshake_that_hangs_has_a_deadline_and_a_dropped_one_ends_at_once() {
    let (listener, address) = listen();
    let mut window = Window::open(&address, None);
    let (mut silent, _) = listener.accept().expect("a connection");
    let other = Window::open(&address, None);
    let (second, _) = listener.accept().expect("a connection");
    second.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    second.peek(&mut [0]).expect("it has begun");
    let before = Instant::now();
    drop(other);
    assert!(rest(&second).starts_with(&[0x16]));
    let took = before.elapsed();
    assert!(took < Duration::from_secs(2), "dropping waited {took:?} for the handshake");
    // A drop now and then does not prolong it: the deadline is one for all of it.
    silent.write_all(&[0x16, 0x03]).expect("a drop");
    assert_eq!(window.news(), LinkNews::Closed(Closed::Lost));
    let took = before.elapsed();
    assert!(took < PATIENCE, "{took:?}");
}

#[test]
fn dropping_it_ends_it_at_once_whatever_it_does() {
    let before = Instant::now();
    // Idle.
    let (server, window) = pair();
    drop(window);
    assert_eq!(rest(&server.sock), b"");
    // With requests that nobody takes.
    let (_server, window) = pair();
    for id in 0..100_000 {
        window.link.send(ping(id));
    }
    drop(window);
    // With news that nobody takes.
    let (mut server, window) = pair();
    server.sock.set_write_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    // Many lines at once, so that few records fill every buffer in between.
    let lines = frame::line(&notice(1)).repeat(200);
    // Until the socket takes no more of what was sealed.
    while !server.conn.wants_write() {
        server.write_all(&lines).expect("room");
    }
    drop(window);
    assert!(before.elapsed() < PATIENCE, "nobody waits for a dropped link");
}

/// A connection's bytes as the server would send them, for a wire that cuts them.
fn sealed(server: &mut ServerConnection, plain: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in plain.chunks(10_000) {
        server.writer().write_all(piece).expect("room");
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("memory");
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// However the records are cut on the way, the frames are the same.
    #[test]
    fn any_segmentation_gives_the_same_frames(
        count in 1_u64..300,
        cuts in prop::collection::vec(1_usize..700, 1..40),
    ) {
        let (mut server, mut window) = pair();
        let mut plain = Vec::new();
        for number in 1..=count {
            frame::encode_line(&notice(number), &mut plain);
        }
        let bytes = sealed(&mut server.conn, &plain);
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            server.sock.write_all(piece).expect("written");
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        for number in 1..=count {
            prop_assert_eq!(window.news(), LinkNews::Frame(notice(number)));
        }
    }
}

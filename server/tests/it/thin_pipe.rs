//! Somebody on a thin pipe catches up with a room that goes on talking: a page that takes long is
//! no slow reading while bytes move, and so catching up comes to an end.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlor_server::threads;
use parlor_shared::request::{History, Nothing, PageAt};
use parlor_shared::{LOBBY_ID, Reply, Request, Seq, ServerFrame};
use socket2::SockRef;

use crate::client::Client;
use crate::harness::{PATIENCE, Setup, is_long_run};

/// A kernel holds megabytes for a wide pipe; a thin one has little in flight.
const WINDOW_BYTES: usize = 32 * 1024;
const CHUNK_BYTES: usize = 4 * 1024;

/// What is missed, and how thin the pipe is: in the long run ten thousand messages over a megabit
/// a second. Otherwise what shows the same in seconds: one page that is more than a kernel takes
/// for a socket of loopback (some 4 MB) and needs many times `stuck_millis`.
struct Pipe {
    messages: u64,
    bytes_per_second: u64,
    stuck_millis: u64,
    page_bytes: u64,
}

/// Hands one connection on to `server`, the way back at the pipe's pace.
fn thin(server: SocketAddr, bytes_per_second: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be used");
    let address = listener.local_addr().expect("loopback can be used");
    threads::start("thin pipe", move || {
        let (client, _) = listener.accept().expect("loopback can be used");
        let server = TcpStream::connect(server).expect("loopback can be used");
        SockRef::from(&server).set_recv_buffer_size(WINDOW_BYTES).expect("loopback can be used");
        let (mut from, mut to) = (
            client.try_clone().expect("loopback can be used"),
            server.try_clone().expect("loopback can be used"),
        );
        threads::start("up", move || {
            std::io::copy(&mut from, &mut to).ok();
            to.shutdown(Shutdown::Write).ok();
        })
        .expect("loopback can be used");
        let mut chunk = [0; CHUNK_BYTES];
        while let Ok(bytes @ 1..) = (&server).read(&mut chunk) {
            // The wait is the pipe itself.
            let nanos = bytes as u64 * 1_000_000_000 / bytes_per_second;
            std::thread::sleep(Duration::from_nanos(nanos));
            if (&client).write_all(&chunk[..bytes]).is_err() {
                return;
            }
        }
    })
    .expect("loopback can be used");
    address
}

#[test]
fn catching_up_over_a_thin_pipe_comes_to_an_end() {
    let pipe = if is_long_run() {
        Pipe {
            messages: 10_000,
            bytes_per_second: 125_000,
            stuck_millis: 2_000,
            page_bytes: 256 * 1024,
        }
    } else {
        Pipe {
            messages: 450,
            bytes_per_second: 1_500_000,
            stuck_millis: 300,
            page_bytes: 16 * 1024 * 1024,
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::on(folder.path()).unhurried().limit("stuck_millis", pipe.stuck_millis);
    let setup = setup.limit("queue_bytes", 128 * 1024).limit("page_bytes", pipe.page_bytes);
    let server = setup.start();
    let mut absent = server.guest("Ann");
    let token = absent.token.take().expect("a new guest gets one");
    absent.ask(Request::Goodbye(Nothing {})).unwrap();
    let mut talker = server.guest("Ben");
    let text = "x".repeat(16 * 1024);
    for count in 1..=pipe.messages {
        talker.say(LOBBY_ID, &format!("ben-{count}"), &text).unwrap();
    }

    let is_over = Arc::new(AtomicBool::new(false));
    let talking = {
        let is_over = Arc::clone(&is_over);
        threads::start("talker", move || {
            let mut count = pipe.messages;
            while !is_over.load(Ordering::Relaxed) {
                count += 1;
                talker.say(LOBBY_ID, &format!("ben-{count}"), "and another thing").unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        })
        .unwrap()
    };

    let mut reader = Client::connect(thin(server.address, pipe.bytes_per_second));
    reader.resume(token).unwrap();
    let mut have = Seq(0);
    'pages: loop {
        let page = PageAt::After(have);
        reader.send(Request::History(History { room: LOBBY_ID, page, limit: Some(1_000) }));
        loop {
            match reader.frame(PATIENCE).expect("who reads is not cut") {
                ServerFrame::Ok { ok: Reply::Page { events, more, .. }, .. } => {
                    for event in events {
                        assert_eq!(event.seq, have.next(), "no gap");
                        have = event.seq;
                    }
                    if more {
                        continue 'pages;
                    }
                    break 'pages;
                }
                // What is said meanwhile comes live, and again in a page.
                ServerFrame::Event(_) => {}
                other @ (ServerFrame::Ok { .. } | ServerFrame::Refused { .. }) => {
                    panic!("history was answered {other:?}")
                }
            }
        }
    }
    is_over.store(true, Ordering::Relaxed);
    talking.join().unwrap();
    assert!(have.0 > pipe.messages, "everything missed, and what was said since: {have}");
    server.stop();
}

//! Bytes to frames: any bytes in any cuts give the same frames, and nothing that a stranger
//! sends takes more memory or stack than was promised.

use parlor_shared::limits::{JSON_ARRAY_MAX, JSON_DEPTH_MAX, JSON_KEYS_MAX};
use parlor_shared::{Decoder, Frame, Limits, Refusal, ServerFrame, frame};
use proptest::prelude::*;

use crate::golden;

const LIMIT: usize = 64;

/// Feeds `pieces` as a socket would; stops at the refusal that ends a connection.
fn decode<'a>(
    limit: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Frame, Refusal>> {
    let (mut decoder, mut out) = (Decoder::new(limit), Vec::new());
    for mut piece in pieces {
        while let Some(frame) = decoder.next(&mut piece) {
            let ended = frame == Err(Refusal::FrameTooLong);
            out.push(frame);
            if ended {
                assert_eq!(decoder.next(&mut &b"x\n"[..]), Some(Err(Refusal::FrameTooLong)));
                assert_eq!(decoder.held_bytes(), 0, "a broken stream holds nothing");
                return out;
            }
        }
        assert!(piece.is_empty(), "the decoder left bytes behind");
        assert!(decoder.held_bytes() <= limit + 1, "{} bytes held", decoder.held_bytes());
    }
    assert!(decoder.is_inside_a_line() || decoder.held_bytes() == 0, "a buffer without a line");
    out
}

/// A frame, as it is expected.
fn a(line: &str) -> Frame {
    line.to_owned()
}

#[test]
fn lines_are_cut_at_newlines_and_empty_ones_passed_over() {
    let bytes = b"{\"a\":1}\n\r\n\n{\"b\":\"\xc3\xa9\"}\r\n  \n\xff\n{}\nhalf";
    let expected = [
        Ok(a("{\"a\":1}")),
        Ok(a("{\"b\":\"é\"}")),
        Ok(a("  ")),
        Err(Refusal::NotUtf8),
        Ok(a("{}")),
    ];
    assert_eq!(decode(LIMIT, [&bytes[..]]), expected);
    assert_eq!(decode(LIMIT, bytes.chunks(1)), expected);
}

#[test]
fn a_line_at_the_limit_and_one_past_it() {
    for end in ["\n", "\r\n"] {
        let longest = format!("{}{end}", "x".repeat(LIMIT));
        let longer = format!("{}{end}", "x".repeat(LIMIT + 1));
        for step in [1, 2, 7, LIMIT, LIMIT + 1, LIMIT + 2, 1_000] {
            assert_eq!(decode(LIMIT, longest.as_bytes().chunks(step)), [Ok(a(&"x".repeat(LIMIT)))]);
            assert_eq!(
                decode(LIMIT, longer.as_bytes().chunks(step)),
                [Err(Refusal::FrameTooLong)],
                "in pieces of {step}"
            );
        }
    }
}

/// The refusal comes with the first byte past the limit, not with the newline, which may never
/// come.
#[test]
fn a_giant_line_is_refused_before_it_is_held() {
    let mut decoder = Decoder::new(LIMIT);
    let mut piece = &[b'x'; LIMIT][..];
    assert_eq!(decoder.next(&mut piece), None);
    assert_eq!(decoder.next(&mut &b"x"[..]), Some(Err(Refusal::FrameTooLong)));
    assert_eq!(decoder.held_bytes(), 0);
    let mut decoder = Decoder::new(LIMIT);
    let giant = vec![b'['; 10_000_000];
    assert_eq!(decoder.next(&mut &giant[..]), Some(Err(Refusal::FrameTooLong)));
    assert_eq!(decoder.held_bytes(), 0);
}

#[test]
fn a_decoder_holds_no_more_than_one_line() {
    let limit = 65_536;
    let line = "x".repeat(limit) + "\n";
    for step in [1, 100, 4_096, 60_000] {
        assert_eq!(decode(limit, line.as_bytes().chunks(step)).len(), 1);
    }
}

#[test]
fn after_hello_longer_lines_are_taken() {
    let mut decoder = Decoder::new(8);
    let mut bytes = &b"12345678\n123456789\n"[..];
    assert_eq!(decoder.next(&mut bytes), Some(Ok(a("12345678"))));
    decoder.set_limit(9);
    assert_eq!(decoder.next(&mut bytes), Some(Ok(a("123456789"))));
    assert_eq!(decoder.next(&mut bytes), None);
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn depth_at_the_limit_and_one_past_it() {
    assert_eq!(frame::check_shape(nested(JSON_DEPTH_MAX).as_bytes()), Ok(()));
    assert_eq!(frame::check_shape(nested(JSON_DEPTH_MAX + 1).as_bytes()), Err(Refusal::TooDeep));
    let objects = |depth| "{\"a\":".repeat(depth);
    assert_eq!(frame::check_shape(objects(JSON_DEPTH_MAX).as_bytes()), Ok(()));
    assert_eq!(frame::check_shape(objects(JSON_DEPTH_MAX + 1).as_bytes()), Err(Refusal::TooDeep));
    // Brackets inside a string are text, behind an escaped quote too.
    assert_eq!(frame::check_shape(format!("\"{}\"", "[".repeat(100)).as_bytes()), Ok(()));
    assert_eq!(frame::check_shape(format!("\"\\\"{}\"", "[".repeat(100)).as_bytes()), Ok(()));
    assert_eq!(
        frame::check_shape(format!("\"\\\\\"{}", "[".repeat(100)).as_bytes()),
        Err(Refusal::TooDeep)
    );
    // Siblings are not depth.
    assert_eq!(frame::check_shape(format!("[{}]", vec!["[]"; 200].join(",")).as_bytes()), Ok(()));
}

#[test]
fn elements_at_the_limit_and_one_past_it() {
    let array = |n| format!("[{}]", vec!["1"; n].join(","));
    let object = |n| {
        let fields: Vec<_> = (0..n).map(|it| format!("\"k{it}\":[1,2]")).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert_eq!(frame::check_shape(array(JSON_ARRAY_MAX).as_bytes()), Ok(()));
    assert_eq!(
        frame::check_shape(array(JSON_ARRAY_MAX + 1).as_bytes()),
        Err(Refusal::TooManyElements)
    );
    assert_eq!(frame::check_shape(object(JSON_KEYS_MAX).as_bytes()), Ok(()));
    assert_eq!(
        frame::check_shape(object(JSON_KEYS_MAX + 1).as_bytes()),
        Err(Refusal::TooManyElements)
    );
    // Each container has its own count, and commas in strings are text.
    assert_eq!(frame::check_shape(format!("[{},{}]", array(200), array(200)).as_bytes()), Ok(()));
    assert_eq!(frame::check_shape(format!("[\"{}\"]", ",".repeat(999)).as_bytes()), Ok(()));
}

/// A stack overflow is an abort that nothing catches, so the smallest stack has to do for the
/// worst line: parsed where it is let through, refused where it is not.
#[test]
fn the_deepest_line_fits_the_smallest_stack() {
    let small = |line: Vec<u8>| {
        let thread = std::thread::Builder::new().name("small".into()).stack_size(64 * 1024);
        let run = move || {
            let mut line = &line[..];
            match Decoder::new(65_536).next(&mut line) {
                Some(Ok(frame)) => frame::parse_request(&frame).map(drop).map_err(|(_, it)| it),
                Some(Err(refusal)) => Err(refusal),
                None => panic!("the line has a newline"),
            }
        };
        thread.spawn(run).expect("a thread").join().expect("no panic")
    };
    let with_newline = |line: String| (line + "\n").into_bytes();
    assert_eq!(small(with_newline("[".repeat(65_536))), Err(Refusal::TooDeep));
    assert_eq!(small(with_newline("{\"a\":".repeat(13_000))), Err(Refusal::TooDeep));
    let arrays = JSON_DEPTH_MAX - 2;
    let deep = format!(r#"{{"id":1,"history":{{"room":1,"page":{}}}}}"#, nested(arrays));
    assert_eq!(small(with_newline(deep)), Err(Refusal::Malformed));
    let open = "[".repeat(JSON_DEPTH_MAX - 1);
    assert_eq!(small(with_newline(format!(r#"{{"x":{open}"#))), Err(Refusal::UnknownRequest));
    let skipped = format!(r#"{{"id":1,"sing":{}}}"#, nested(JSON_DEPTH_MAX - 1));
    assert_eq!(small(with_newline(skipped)), Err(Refusal::UnknownRequest));
}

/// Bytes that look like a conversation: real lines, broken ones, cut characters, carriage
/// returns, and lines around the limit.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let limit = "x".repeat(LIMIT);
    let piece = prop_oneof![
        4 => Just(b"{\"id\":1,\"ping\":{}}".to_vec()),
        4 => Just(b"\n".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        2 => Just("😀é".as_bytes().to_vec()),
        1 => Just(b"\xf0\x9f".to_vec()),
        1 => Just(b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[".to_vec()),
        1 => Just(limit.clone().into_bytes()),
        1 => Just(limit.as_bytes()[..LIMIT - 1].to_vec()),
        2 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_cut_gives_the_same_frames(
        bytes in some_bytes(),
        cuts in proptest::collection::vec(1_usize..40, 0..40),
    ) {
        let whole = decode(LIMIT, [&bytes[..]]);
        prop_assert_eq!(&decode(LIMIT, bytes.chunks(1)), &whole);
        let (mut rest, mut pieces) = (&bytes[..], Vec::new());
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(&decode(LIMIT, pieces), &whole);
        // And what the frames are, told by another, slower way.
        for frame in whole.into_iter().flatten() {
            prop_assert!(!frame.is_empty() && frame.len() <= LIMIT && !frame.contains('\n'));
        }
    }

    /// The simplest decoder there could be, which holds everything, agrees.
    #[test]
    fn the_frames_are_the_lines(bytes in some_bytes()) {
        let mut expected = Vec::new();
        let mut lines: Vec<&[u8]> = bytes.split(|it| *it == b'\n').collect();
        let unfinished = lines.pop().unwrap_or_default();
        for line in lines {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > LIMIT {
                expected.push(Err(Refusal::FrameTooLong));
                break;
            }
            match std::str::from_utf8(line) {
                Ok("") => {}
                Ok(line) => expected.push(frame::check_shape(line.as_bytes()).map(|()| line.to_owned())),
                Err(_) => expected.push(Err(Refusal::NotUtf8)),
            }
        }
        let broken = expected.last() == Some(&Err(Refusal::FrameTooLong));
        if !broken && unfinished.strip_suffix(b"\r").unwrap_or(unfinished).len() > LIMIT {
            expected.push(Err(Refusal::FrameTooLong));
        }
        prop_assert_eq!(decode(LIMIT, [&bytes[..]]), expected);
    }

    #[test]
    fn parsing_never_panics(line in "(?s).{0,200}") {
        let mut bytes = line.clone().into_bytes();
        bytes.push(b'\n');
        let mut bytes = &bytes[..];
        let mut decoder = Decoder::new(usize::try_from(Limits::default().frame_bytes).expect("small"));
        while let Some(Ok(frame)) = decoder.next(&mut bytes) {
            drop(frame::parse_request(&frame));
        }
        drop(frame::parse_request(&line));
    }

    /// Almost-requests reach further into the parser than noise does.
    #[test]
    fn parsing_of_almost_requests_never_panics(
        verb in proptest::sample::select(parlor_shared::Request::VERBS),
        at in 0_usize..120,
        with in "(?s).{0,3}",
        number in any::<i64>(),
    ) {
        let line = format!(
            r#"{{"id":{number},"{verb}":{{"room":{number},"client_id":"a-{number}","text":"a","name":"b","page":{{"after":{number}}},"limit":{number}}}}}"#,
        );
        let at = (0..=at.min(line.len())).rev().find(|it| line.is_char_boundary(*it)).unwrap_or(0);
        let line = format!("{}{with}{}", &line[..at], &line[at..]);
        if let Err((_, refusal)) = frame::parse_request(&line) {
            prop_assert_ne!(refusal, Refusal::Unknown);
        }
    }

    /// And golden lines with a slip in them furthest: every field of every verb, reply and event.
    #[test]
    fn parsing_of_golden_lines_with_a_slip_never_panics(
        line in proptest::sample::select(golden::lines().collect::<Vec<_>>()),
        at in any::<proptest::sample::Index>(),
        lost in 0_usize..4,
        with in r#"(?s)[\]\[{}",:0-9a-z]{0,3}|.{0,2}"#,
    ) {
        let (side, line) = line.split_at(2);
        let letters: Vec<char> = line.chars().collect();
        let at = at.index(letters.len());
        let (before, after) = (&letters[..at], &letters[(at + lost).min(letters.len())..]);
        let line: String = before.iter().copied().chain(with.chars()).chain(after.iter().copied()).collect();
        if side == "> " {
            if let Err((_, refusal)) = frame::parse_request(&line) {
                prop_assert_ne!(refusal, Refusal::Unknown);
            }
        } else if let Ok(frame) = serde_json::from_str::<ServerFrame>(&line) {
            // What a client took it can say again: nothing half-read is kept.
            let again = frame::line(&frame);
            let again: ServerFrame = serde_json::from_slice(&again).expect("its own line");
            prop_assert_eq!(again, frame);
        }
    }
}

//! What people read out and type in: one-time codes, and the fingerprint of a server's key.

use std::str::FromStr as _;

use parlor_shared::{Code, Fingerprint, Refusal};
use proptest::prelude::*;

/// Every bit that was drawn is in the code, and the code is sixteen symbols of 5 bits: the other
/// way round by another arithmetic.
fn bits_of(code: &str) -> u128 {
    let symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let value = |it| symbols.find(it).expect("a symbol") as u128;
    code.chars().filter(|it| *it != '-').fold(0, |bits, it| bits * 32 + value(it))
}

#[test]
fn codes_look_like_this() {
    for (bytes, shown) in [
        ([0; Code::BYTES], "0000-0000-0000-0000"),
        ([255; Code::BYTES], "ZZZZ-ZZZZ-ZZZZ-ZZZZ"),
        ([0x84; Code::BYTES], "GJ28-9144-GJ28-9144"),
    ] {
        let code = Code::from_random(bytes);
        assert_eq!(code.to_string(), shown);
        assert_eq!(format!("{code:?} {code:#?}"), "Code(…) Code(…)", "never in a log");
    }
}

#[test]
fn what_is_misread_is_forgiven_and_nothing_else() {
    let code = Code::from_str("01O1-2345-6789-ABCD").expect("a code");
    for slip in [
        "O1OI-2345-6789-ABCD",
        "0l0i-2345-6789-abcd",
        "oLoL 2345 6789 abcd",
        "0101234567 89ABCD",
        " -0101--2345 6789ABCD- ",
    ] {
        assert_eq!(Code::from_str(slip), Ok(code), "{slip:?}");
    }
    for wrong in [
        "U101-2345-6789-ABCD",
        "0101-2345-6789-ABC",
        "0101-2345-6789-ABCDE",
        "0101\t2345-6789-ABCD",
        "0101-2345-6789-ABCD\n",
        "0101_2345_6789_ABCD",
        "０101-2345-6789-ABCD",
        "0101–2345–6789–ABCD",
        "ſ101-2345-6789-ABCD",
        "",
        "----------------",
    ] {
        assert_eq!(Code::from_str(wrong), Err(Refusal::CodeUnknown), "{wrong:?}");
    }
}

/// Digits in any number: only 64 are a fingerprint.
#[test]
fn a_fingerprint_is_64_digits() {
    let hex = "0123456789abcdef".repeat(4);
    let shown = ["0123 4567 89ab cdef"; 4].join(" ");
    let fingerprint = Fingerprint::from_str(&hex).expect("a fingerprint");
    assert_eq!((fingerprint.to_string(), fingerprint.hex()), (hex.clone(), shown.clone()));
    for same in [shown, hex.to_uppercase(), format!("  {hex} ")] {
        assert_eq!(Fingerprint::from_str(&same), Ok(fingerprint), "{same:?}");
    }
    let wrong = ["", &hex[1..], &format!("{hex}0"), &hex.replace('a', "g"), &"é".repeat(32)];
    for wrong in wrong {
        assert_eq!(Fingerprint::from_str(wrong), Err(Refusal::Malformed), "{wrong:?}");
    }
    assert_eq!(Fingerprint([0; 32]).words(), ["abandon"; 8].join(" "));
    assert_eq!(Fingerprint([255; 32]).words(), ["zoo"; 8].join(" "));
}

proptest! {
    #[test]
    fn a_code_is_its_random_bits(bytes: [u8; Code::BYTES]) {
        let code = Code::from_random(bytes);
        let shown = code.to_string();
        let drawn = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        prop_assert_eq!(bits_of(&shown), drawn);
        prop_assert_eq!(Code::from_str(&shown), Ok(code));
        let symbols = shown.replace('-', "");
        prop_assert_eq!(code.as_bytes(), symbols.as_bytes());
        let json = serde_json::to_string(&code).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Code>(&json).expect("a code"), code);
    }

    #[test]
    fn only_sixteen_symbols_are_a_code(symbols in "[0-9A-Za-z &&[^Uu]]{0,40}") {
        let count = symbols.chars().filter(|it| *it != ' ').count();
        prop_assert_eq!(Code::from_str(&symbols).is_ok(), count == Code::SYMBOLS);
    }

    #[test]
    fn whatever_is_typed_is_no_code_or_one_that_is_shown_the_same(typed in ".{0,30}") {
        if let Ok(code) = Code::from_str(&typed) {
            prop_assert_eq!(Code::from_str(&code.to_string()), Ok(code));
        }
    }

    #[test]
    fn the_hex_of_a_fingerprint_is_all_of_it(bytes: [u8; 32]) {
        let fingerprint = Fingerprint(bytes);
        for shown in [fingerprint.to_string(), fingerprint.hex(), format!("{fingerprint:?}")] {
            prop_assert_eq!(Fingerprint::from_str(&shown), Ok(fingerprint));
        }
        let json = serde_json::to_string(&fingerprint).expect("JSON");
        prop_assert_eq!(json, format!("\"{fingerprint}\""));
    }

    /// The words are the first 88 bits, 11 in each, and say nothing of the others.
    #[test]
    fn the_words_of_a_fingerprint_are_its_first_bits(bytes: [u8; 32], bit in 0_usize..256) {
        let list = bip39::Language::English.word_list();
        let place = |it: &str| list.iter().position(|word| *word == it).expect("of the list");
        let fingerprint = Fingerprint(bytes);
        let words = fingerprint.words();
        prop_assert_eq!(words.split(' ').count(), 8);
        let said = words.split(' ').fold(0_u128, |bits, it| bits * 2_048 + place(it) as u128);
        let first = bytes[..11].iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        prop_assert_eq!(said, first);
        let mut other = bytes;
        other[bit / 8] ^= 0x80 >> (bit % 8);
        let changed: Vec<_> = Fingerprint(other).words().split(' ').zip(words.split(' '))
            .enumerate().filter(|(_, (one, other))| one != other).map(|(at, _)| at).collect();
        let expected = if bit < 88 { vec![bit / 11] } else { Vec::new() };
        prop_assert_eq!(changed, expected);
    }
}

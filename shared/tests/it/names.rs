//! Who looks like whom, by the confusables table, and which names are new enough to be taken.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use parlor_shared::name::Skeleton;
use parlor_shared::{Refusal, RoomName, UserName};
use proptest::prelude::*;

fn new_user(name: &str) -> Result<(), &'static str> {
    let name = UserName::from_str(name).map_err(|it| it.code())?;
    name.check_new().map_err(|it| it.code())
}

fn new_room(name: &str) -> Result<(), &'static str> {
    let name = RoomName::from_str(name).map_err(|it| it.code())?;
    name.check_new().map_err(|it| it.code())
}

fn table_skeleton(text: &str) -> String {
    unicode_security::skeleton(text).collect()
}

/// Every character for which the table has something that it looks like, by that.
fn look_alikes() -> BTreeMap<String, Vec<char>> {
    let mut alike: BTreeMap<String, Vec<char>> = BTreeMap::new();
    // To a sharp s the folding of case comes first: it is `ss`, not a Greek beta.
    for it in ('!'..=char::MAX).filter(|it| !matches!(it, 'ß' | 'ẞ')) {
        let skeleton = table_skeleton(&it.to_string());
        if !skeleton.is_empty() {
            alike.entry(skeleton).or_default().push(it);
        }
    }
    alike.retain(|_, them| them.len() > 1);
    alike
}

#[test]
fn whatever_the_table_takes_for_the_same_is_the_same() {
    let alike = look_alikes();
    assert!(alike.len() > 2_000, "the table was read: {}", alike.len());
    for them in alike.values() {
        let first = Skeleton::of(&format!("x{}x", them[0]));
        for it in them {
            assert_eq!(Skeleton::of(&format!("x{it}x")), first, "{it:?} and {:?}", them[0]);
        }
    }
}

/// Greek gamma, nu and upsilon and Armenian yi look like one Latin letter as capitals and like
/// another one as small letters; to be both, two Latin letters would have to be one.
const CASES_APART: &[char] = &['γ', 'ν', 'υ', 'յ'];

#[test]
fn a_name_is_the_same_in_capitals() {
    let alphabets = ["a-z", "à-öø-ÿ", "ā-ž", "ƙɓɗƴ", "α-ω", "а-я", "ѐ-џ", "ґғқңүұһ", "ա-ֆ"];
    let mut looked_at = 0;
    for it in alphabets.iter().flat_map(|it| letters_of(it)).filter(|it| it.is_lowercase()) {
        let (small, capital) = (it.to_string(), it.to_uppercase().to_string());
        let is_same = Skeleton::of(&small) == Skeleton::of(&capital);
        let base = small.chars().next().expect("a letter");
        assert_eq!(is_same, !CASES_APART.contains(&base), "{small} {capital}");
        looked_at += 1;
    }
    assert!(looked_at > 250, "{looked_at}");
}

/// `a-z` and single letters.
fn letters_of(ranges: &str) -> Vec<char> {
    let letters: Vec<char> = ranges.chars().collect();
    let mut all = Vec::new();
    for (at, it) in letters.iter().enumerate() {
        match (letters.get(at.wrapping_sub(1)), letters.get(at + 1)) {
            (Some(from), Some(to)) if *it == '-' => all.extend(*from..=*to),
            _ => all.push(*it),
        }
    }
    all.retain(|it| it.is_alphabetic());
    all
}

const OF_MANY_LANGUAGES: &[&str] = &[
    "Ann | Zoë | Jürgen | Łukasz | Đặng Thị Ánh | Þóra | Əli | Ñuñez | O’Neil | O'Neil",
    "Mª Carmen | Kahoʻolawe | Ɗanladi | Παναγιώτης | Нина | Ґалаґан | Ђорђе | Ўткир",
    "Հասմիկ | ნინო | יעל | מָרִיָּה | محمد | علی‌رضا | مه‌سا | پری‌ناز | ܡܪܝܡ | मीरा",
    "क्‍षमा | অনিক | ਗੁਰਪ੍ਰੀਤ | પ્રિયા | தமிழ் | శ్రీ | ಕನ್ನಡ | നയന്‍ | ශ්‍රී | สมชาย",
    "ນ້ຳ | བསྟན | မောင် | ខ្មែរ | አበበ | ᏣᎳᎩ | ⵜⴰⵏⵉⵔⵜ | ߒߞߏ | 小林 | 小林さくら | サクラ Sakura",
    "ｱﾝﾅ | 김민준 | 金민준 Kim | 陳ㄔㄣ | Anna 小林 | 👩‍🚀 | Ann ❤️ | 👨‍👩‍👧‍👦 Ann | 🏳️‍🌈 | 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "1️⃣ | 👋🏽 Ann | 🇫🇷 | Ann (work) | ann_2 | R2-D2 | A&B | Ann ★ | J. R. R. | … | ~ | 3",
];

#[test]
fn names_in_many_languages_can_be_taken() {
    for name in OF_MANY_LANGUAGES.iter().flat_map(|it| it.split(" | ")) {
        assert_eq!(new_user(name), Ok(()), "{name}");
        assert_eq!(new_room(name), Ok(()), "{name}");
    }
}

#[test]
fn names_of_two_alphabets_are_refused() {
    for name in [
        "Аnn",
        "Anna Петрова",
        "Νick",
        "pаypal",
        "Ann아Сон",
        "さくら김",
        "Ali علي",
        "𝐀нна",
        "ᴀɴɴ",
        "𐌀𐌍",
        "A\u{300}\u{301}\u{302}\u{303}\u{304}nn",
        "\u{e000}",
        "A\u{378}",
    ] {
        assert_eq!(new_user(name), Err("name_mixed"), "{name}");
    }
    for (room, is_fine) in [
        ("Проект Parlor", true),
        ("Ελλάδα 2026 news", true),
        ("пр😀oject", false),
        ("Prоjekt", false),
        ("Parlor-Проект", false),
        ("room", true),
    ] {
        assert_eq!(new_room(room).is_ok(), is_fine, "{room}");
    }
}

#[test]
fn what_nobody_sees_is_refused_where_it_changes_nothing() {
    for name in [
        "An\u{200b}n",
        "Ann\u{ad}",
        "\u{2060}Ann",
        "An\u{200d}n",
        "An\u{200c}n",
        "Ann\u{200d}",
        "م\u{200c}",
        "ا\u{200c}ب",
        "\u{200c}م",
        "क\u{200d}",
        "👩\u{200d}",
        "\u{200d}🚀",
        "A\u{fe0f}nn",
        "3\u{fe0f}",
        "Ann\u{e0067}",
        "🏴\u{e0067}",
        "A\u{3164}",
        "A\u{2800}",
        "क्\u{200c}",
        "🇫\u{200d}🇷",
    ] {
        assert_eq!(new_user(name), Err("name_invisible"), "{name:?}");
    }
}

#[test]
fn nobody_speaks_as_the_house() {
    for name in [
        "System",
        "SERVER",
        "ＳＥＲＶＥＲ",
        "Ѕystem",
        "sys\u{200b}tem",
        "former   user",
        "AdmIn",
        "adm1n",
        "parl0r",
        "Pаrlоr",
        "[Admin]",
        "admin ✅",
        "★ Parlor ★",
        "former-user",
        "FormerUser",
        "ⓟⓐⓡⓛⓞⓡ",
        "r00t",
        "@all",
        "Ѕуѕтем",
    ] {
        assert_eq!(new_user(name), Err("name_reserved"), "{name}");
    }
    for name in [UserName::house(), UserName::former()] {
        assert_eq!(UserName::from_str(name.as_str()), Ok(name.clone()), "a server may send it");
        assert_eq!(name.check_new(), Err(Refusal::NameReserved));
    }
    for name in ["Roomer", "Allan", "Rooth", "Administra", "admin2"] {
        assert_eq!(new_user(name), Ok(()), "{name}");
    }
}

proptest! {
    /// A reserved name with any of its letters written by one that looks the same.
    #[test]
    fn no_look_alike_of_a_reserved_name_can_be_taken(
        name in prop::sample::select(vec!["system", "parlor", "admin", "root", "former user"]),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 16),
    ) {
        let alike = look_alikes_of_ascii();
        let other: String = name.chars().zip(&choices)
            .map(|(it, choice)| alike.get(&it).map_or(it, |them| *choice.get(them)))
            .collect();
        prop_assert_eq!(Skeleton::of(&other), Skeleton::of(name), "{}", other);
        if let Ok(parsed) = UserName::from_str(&other) {
            prop_assert_eq!(parsed.check_new(), Err(Refusal::NameReserved), "{}", other);
        }
    }

    /// The table decides about whole texts, not only about letters.
    #[test]
    fn texts_that_the_table_takes_for_the_same_collide(
        text in "[a-zA-Z0-9а-яА-Яα-ωΑ-Ω '.-]{1,12}|\\PC{1,8}",
        choices in prop::collection::vec(any::<prop::sample::Index>(), 12),
    ) {
        let alike = look_alikes_of_ascii();
        let other: String = text.chars().zip(&choices)
            .map(|(it, choice)| alike.get(&it).map_or(it, |them| *choice.get(them)))
            .collect();
        let text: String = text.chars().take(choices.len()).collect();
        prop_assume!(table_skeleton(&text) == table_skeleton(&other));
        prop_assume!(!text.contains(['ß', 'ẞ']));
        prop_assert_eq!(Skeleton::of(&text), Skeleton::of(&other), "{} {}", text, other);
    }
}

fn look_alikes_of_ascii() -> &'static BTreeMap<char, Vec<char>> {
    static ALIKE: std::sync::LazyLock<BTreeMap<char, Vec<char>>> = std::sync::LazyLock::new(|| {
        let alike = look_alikes();
        let of = |it: char| Some((it, alike.get(&table_skeleton(&it.to_string()))?.clone()));
        ('!'..='~').filter_map(of).collect()
    });
    &ALIKE
}

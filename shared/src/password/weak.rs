//! Which passwords are among the first that anybody tries: the commonest, keys that lie side by
//! side, repetitions, dates, and the user's own name, all of them with the usual decoration.
//!
//! A short list with rules, not a model of guessing: a server that allows a hundred tries a day
//! needs the first few thousand guesses refused, not the first billion.

use unicode_normalization::UnicodeNormalization as _;

/// Letters and digits that must be left when everything easy is taken away.
const REST_MIN: usize = 4;
/// Digits alone are a date or a telephone number below this length.
const DIGITS_MIN: usize = 12;
/// Keys in a row that are seen as a row.
const ROW_MIN: usize = 3;
/// Letters of which a repeated piece consists at most.
const PIECE_MAX: usize = 4;
/// A name shorter than this is in too many words to be looked for.
const NAME_MIN: usize = 3;

/// What lies side by side: in the alphabet, on a keyboard, or in a zigzag over it.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "qsdfghjklm",
    "zxcvbnm",
    "yxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
    "абвгдежзийклмнопрстуфхцчшщ",
];

/// The commonest words in passwords, from the lists that leaks made public. Longer ones first
/// where one begins with another.
const WORDS: &[&str] = &[
    "administrator",
    "alexander",
    "arsenal",
    "asdf",
    "ashley",
    "azerty",
    "baseball",
    "basketball",
    "batman",
    "biteme",
    "bonjour",
    "butterfly",
    "changeme",
    "charlie",
    "cheese",
    "chelsea",
    "chocolate",
    "computer",
    "contraseña",
    "cookie",
    "daniel",
    "default",
    "diamond",
    "donald",
    "dragon",
    "einloggen",
    "eminem",
    "flower",
    "football",
    "freedom",
    "fuckyou",
    "geheim",
    "george",
    "ginger",
    "guest",
    "hallo",
    "hannah",
    "hello",
    "hockey",
    "hunter",
    "iloveyou",
    "internet",
    "jennifer",
    "jessica",
    "jordan",
    "joshua",
    "juventus",
    "kennwort",
    "killer",
    "letmein",
    "liverpool",
    "login",
    "london",
    "loulou",
    "love",
    "lovely",
    "maggie",
    "marseille",
    "master",
    "matrix",
    "matthew",
    "mercedes",
    "michael",
    "michelle",
    "minecraft",
    "monkey",
    "motdepasse",
    "mustang",
    "mynoob",
    "naruto",
    "nicole",
    "ninja",
    "passphrase",
    "password",
    "passwort",
    "passwd",
    "pass",
    "parlor",
    "parola",
    "pepper",
    "pokemon",
    "princess",
    "purple",
    "qwerty",
    "qwertz",
    "ranger",
    "robert",
    "root",
    "samsung",
    "schatz",
    "secret",
    "secure",
    "senha",
    "server",
    "shadow",
    "slipknot",
    "snoopy",
    "soccer",
    "spiderman",
    "starwars",
    "spring",
    "summer",
    "autumn",
    "winter",
    "sommer",
    "herbst",
    "january",
    "february",
    "monday",
    "friday",
    "sunday",
    "sunshine",
    "superman",
    "system",
    "test",
    "thomas",
    "tigger",
    "trustno",
    "unknown",
    "user",
    "welcome",
    "whatever",
    "willkommen",
    "wordpass",
    "xbox",
    "zaq",
    "admin",
    "bailey",
    "buster",
    "jesus",
    "access",
    "please",
    "пароль",
    "любовь",
    "привет",
    "солнышко",
];

/// See the module.
pub(super) fn is_weak(password: &str, name: &str) -> bool {
    let typed = simplified(password);
    if typed.chars().all(char::is_numeric) {
        let left = without_rows(&typed).chars().filter(|it| it.is_numeric()).count();
        return left < DIGITS_MIN || is_repeated(&typed);
    }
    if is_repeated(&typed) {
        return true;
    }
    // The name with its letters written both ways, so that "4nn4" is found in both.
    let names = [simplified(name), plain(&simplified(name))];
    [typed.clone(), plain(&typed)].iter().any(|it| rest(it, &names) < REST_MIN)
}

/// Small letters and digits, without accents and punctuation.
fn simplified(text: &str) -> String {
    let lower = text.nfkd().flat_map(char::to_lowercase);
    // What stands for a letter is kept until it was read as one.
    lower.filter(|it| it.is_alphanumeric() || LETTERS.iter().any(|(sign, _)| sign == it)).collect()
}

/// Signs and digits that are written for letters.
const LETTERS: &[(char, char)] = &[
    ('0', 'o'),
    ('1', 'l'),
    ('3', 'e'),
    ('4', 'a'),
    ('5', 's'),
    ('7', 't'),
    ('8', 'b'),
    ('@', 'a'),
    ('$', 's'),
    ('!', 'i'),
    ('€', 'e'),
    ('+', 't'),
];

fn plain(text: &str) -> String {
    let letter = |it: char| LETTERS.iter().find(|(sign, _)| *sign == it).map_or(it, |(_, it)| *it);
    text.chars().map(letter).collect()
}

/// One piece of at most four letters over and over, or hardly any different ones.
fn is_repeated(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let mut different = letters.clone();
    different.sort_unstable();
    different.dedup();
    different.len() <= 3
        || (1..=PIECE_MAX).any(|piece| {
            letters.iter().zip(&letters[piece.min(letters.len())..]).all(|(one, next)| one == next)
        })
}

/// How many letters are left without the name, common words, rows of keys and the digits around.
fn rest(text: &str, names: &[String]) -> usize {
    let mut text = text.to_owned();
    for name in names.iter().filter(|it| it.chars().count() >= NAME_MIN) {
        let backwards: String = name.chars().rev().collect();
        text = text.replace(name.as_str(), " ").replace(&backwards, " ");
    }
    for word in WORDS {
        text = text.replace(&simplified(word), " ");
    }
    let text = without_rows(&text);
    let is_decoration = |it: char| !it.is_alphabetic();
    // Digits between letters count, those at the ends are a year or a lucky number.
    let pieces = text.split(' ').map(|it| it.trim_matches(is_decoration));
    pieces.map(|it| it.chars().filter(|it| it.is_alphanumeric()).count()).sum()
}

/// Three keys or more that lie side by side, forwards or backwards, are taken out.
fn without_rows(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut left = String::new();
    let mut at = 0;
    while at < letters.len() {
        let row = ROWS.iter().map(|row| row_length(row, &letters[at..])).max().unwrap_or_default();
        if row >= ROW_MIN {
            left.push(' ');
            at += row;
        } else {
            left.push(letters[at]);
            at += 1;
        }
    }
    left
}

/// How many of `letters`, from the first on, follow each other in `row`.
fn row_length(row: &str, letters: &[char]) -> usize {
    let forwards: Vec<char> = row.chars().collect();
    let backwards: Vec<char> = row.chars().rev().collect();
    let length = |row: &[char]| {
        let from = row.iter().position(|it| Some(it) == letters.first());
        let same =
            |from: usize| row[from..].iter().zip(letters).take_while(|(a, b)| a == b).count();
        from.map_or(0, same)
    };
    length(&forwards).max(length(&backwards))
}

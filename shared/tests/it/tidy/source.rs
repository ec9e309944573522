//! Rust source as far as the house rules need it: tokens without comments and literals, and
//! every path that is named, with groups (`a::{b, c::d}`) taken apart and `super` resolved.
//!
//! Invariant: it never says less than the source does. Where it cannot tell, it names the path
//! as it stands, and the rules that forbid globs and bare roots catch the rest.

/// A word or a sign, and the line it stands on. Comments are gone; a literal is `"`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A path as named somewhere: `["crate", "store", "Store"]`, `["std", "fs", "*"]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NamedPath {
    pub(super) line: usize,
    pub(super) words: Vec<String>,
    /// Named by `use`, so it may bring a name into scope that is then used without its root.
    pub(super) imported: bool,
}

/// Takes source apart.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let letters: Vec<char> = source.chars().collect();
    let (mut at, mut line, mut out) = (0, 1, Vec::new());
    while at < letters.len() {
        let end = match letters[at] {
            '/' if letters.get(at + 1) == Some(&'/') => end_of_line(&letters, at),
            '/' if letters.get(at + 1) == Some(&'*') => end_of_block(&letters, at),
            it if it.is_whitespace() => at + 1,
            it => {
                let end = end_of_token(&letters, at);
                let text = if is_literal(&letters, at) {
                    "\"".to_owned()
                } else if it == ':' && letters.get(at + 1) == Some(&':') {
                    "::".to_owned()
                } else {
                    letters[at..end].iter().collect::<String>().replace("r#", "")
                };
                out.push(Token { line, text });
                end
            }
        };
        line += letters[at..end].iter().filter(|it| **it == '\n').count();
        at = end;
    }
    out
}

fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

fn end_of_line(letters: &[char], at: usize) -> usize {
    letters[at..].iter().position(|it| *it == '\n').map_or(letters.len(), |it| at + it)
}

/// Block comments nest.
fn end_of_block(letters: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    letters.len()
}

/// Letters of a literal's prefix (`b`, `r##`, `br#`, `c`), or `None` where no string starts.
fn prefix_of_string(letters: &[char], at: usize) -> Option<(usize, usize, bool)> {
    let mut next = at;
    while next < at + 2 && matches!(letters.get(next), Some('b' | 'c' | 'r')) {
        next += 1;
    }
    let raw = next > at && letters[next - 1] == 'r';
    let hashes = letters[next..].iter().take_while(|it| raw && **it == '#').count();
    (letters.get(next + hashes) == Some(&'"')).then_some((next + hashes, hashes, raw))
}

/// A quote is a letter's, not a lifetime's, when it is closed after one letter or an escape.
fn is_letter(letters: &[char], at: usize) -> bool {
    letters[at] == '\''
        && (letters.get(at + 1) == Some(&'\\') || letters.get(at + 2) == Some(&'\''))
}

fn is_literal(letters: &[char], at: usize) -> bool {
    let byte = letters[at] == 'b' && letters.get(at + 1) == Some(&'\'');
    prefix_of_string(letters, at).is_some() || is_letter(letters, at) || byte
}

fn end_of_token(letters: &[char], at: usize) -> usize {
    if let Some((quote, hashes, raw)) = prefix_of_string(letters, at) {
        return end_of_string(letters, quote, hashes, raw);
    }
    let quote = at + usize::from(letters[at] == 'b' && letters.get(at + 1) == Some(&'\''));
    if is_letter(letters, quote) {
        let from = quote + if letters[quote + 1] == '\\' { 3 } else { 2 };
        let rest = letters.get(from..).unwrap_or_default();
        return rest.iter().position(|it| *it == '\'').map_or(letters.len(), |it| from + it + 1);
    }
    if letters[at] == 'r' && letters.get(at + 1) == Some(&'#') {
        return at + 2 + letters[at + 2..].iter().take_while(|it| is_word(**it)).count();
    }
    if is_word(letters[at]) {
        return at + letters[at..].iter().take_while(|it| is_word(**it)).count();
    }
    at + if letters[at] == ':' && letters.get(at + 1) == Some(&':') { 2 } else { 1 }
}

fn end_of_string(letters: &[char], quote: usize, hashes: usize, raw: bool) -> usize {
    let mut at = quote + 1;
    while at < letters.len() {
        match letters[at] {
            '\\' if !raw => at += 1,
            '"' if letters[at + 1..].iter().take_while(|it| **it == '#').count() >= hashes => {
                return at + 1 + hashes;
            }
            _ => {}
        }
        at += 1;
    }
    letters.len()
}

/// Every path named in the file that is the module `home` (`["chat", "room"]` for
/// `chat/room.rs`), `self`, `super` and this crate's own name turned into `crate`.
pub(super) fn paths(tokens: &[Token], home: &[String], own_name: &str) -> Vec<NamedPath> {
    let mut found = Vec::new();
    // Inline modules that are open here, each with the brace depth inside it.
    let (mut inline, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    let mut at = 0;
    while at < tokens.len() {
        let word = |ahead: usize| tokens.get(at + ahead).map_or("", |it| it.text.as_str());
        match word(0) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                while inline.last().is_some_and(|(_, inside)| *inside > depth) {
                    inline.pop();
                }
            }
            "mod" if word(2) == "{" => inline.push((word(1).to_owned(), depth + 1)),
            _ => {}
        }
        let imported = word(0) == "use" && !matches!(word(1), "<");
        let starts = word(0).starts_with(is_path_letter)
            && (at == 0 || !matches!(tokens[at - 1].text.as_str(), "::" | "." | "$"));
        if imported || (starts && word(1) == "::") {
            let mut raw = Vec::new();
            let from = at + usize::from(imported);
            at = tree(tokens, from, &mut Vec::new(), &mut raw);
            let mut here = home.to_vec();
            here.extend(inline.iter().map(|(name, _)| name.clone()));
            found.extend(raw.into_iter().map(|(line, words)| NamedPath {
                line,
                words: resolve(words, &here, own_name),
                imported,
            }));
            at = at.max(from + 1);
            continue;
        }
        at += 1;
    }
    found
}

fn is_path_letter(it: char) -> bool {
    it.is_alphabetic() || it == '_'
}

/// Reads one use-tree or path from `at`; the paths go into `out`; returns where it ends.
fn tree(
    tokens: &[Token],
    mut at: usize,
    so_far: &mut Vec<String>,
    out: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let depth = so_far.len();
    let text = |at: usize| tokens.get(at).map_or("", |it| it.text.as_str());
    let line = tokens.get(at).map_or(0, |it| it.line);
    if text(at) == "::" {
        at += 1;
    }
    loop {
        match text(at) {
            "{" => {
                at += 1;
                while !matches!(text(at), "}" | "") {
                    at = tree(tokens, at, so_far, out).max(at + 1);
                    at += usize::from(text(at) == ",");
                }
                at += 1;
                break;
            }
            word if word == "*" || word.starts_with(is_path_letter) => {
                so_far.push(word.to_owned());
                if text(at + 1) == "::"
                    && (text(at + 2) == "{"
                        || text(at + 2) == "*"
                        || text(at + 2).starts_with(is_path_letter))
                {
                    at += 2;
                    continue;
                }
                out.push((tokens[at].line.max(line), so_far.clone()));
                at += 1;
                if text(at) == "as" {
                    at += 2;
                }
                break;
            }
            _ => break,
        }
    }
    so_far.truncate(depth);
    at
}

/// Absolute where it can be: `super::x` inside `chat::room` is `crate::chat::x`.
fn resolve(words: Vec<String>, here: &[String], own_name: &str) -> Vec<String> {
    let mut base = match words[0].as_str() {
        "self" | "super" => here.to_vec(),
        "crate" => Vec::new(),
        own if own == own_name => Vec::new(),
        _ => return words,
    };
    let mut rest = words.into_iter().peekable();
    rest.next_if(|it| it != "super");
    while rest.next_if(|it| it == "super").is_some() {
        base.pop();
    }
    let mut absolute = vec!["crate".to_owned()];
    absolute.extend(base);
    // `crate::store::{self}` is `crate::store`.
    absolute.extend(rest.filter(|it| it != "self"));
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str, home: &[&str]) -> Vec<String> {
        let home: Vec<_> = home.iter().map(|it| (*it).to_owned()).collect();
        paths(&tokens(source), &home, "parlor_server")
            .iter()
            .map(|it| it.words.join("::"))
            .collect()
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let source = r####"
            // use crate::a; /* not open
            /* use crate::b; /* nested */ crate::c */
            let s = "crate::d \" // crate::e"; let r = r#"crate::f " crate::g"#; let b = b"crate::h";
            let c = '"'; let q = '\''; let n = b'"'; let l: &'static str = crate::real::X;
        "####;
        assert_eq!(named(source, &[]), ["crate::real::X"]);
    }

    #[test]
    fn groups_are_taken_apart() {
        let source = "use crate::{a, b::{self, C, d::*}, e as f}; use std::{fs, io::Write as _};";
        let expected = [
            "crate::a",
            "crate::b",
            "crate::b::C",
            "crate::b::d::*",
            "crate::e",
            "std::fs",
            "std::io::Write",
        ];
        assert_eq!(named(source, &[]), expected);
    }

    #[test]
    fn super_and_self_and_the_own_name_are_resolved() {
        let source = "use super::{Room, super::store::Save}; fn f(_: self::X) { super::g() }
            mod tests { use super::*; mod deep { fn h() { super::super::i(); } } }
            use super::j; use parlor_server::hub::Hub;";
        let expected = [
            "crate::chat::Room",
            "crate::store::Save",
            "crate::chat::room::X",
            "crate::chat::g",
            "crate::chat::room::*",
            "crate::chat::room::i",
            "crate::chat::j",
            "crate::hub::Hub",
        ];
        assert_eq!(named(source, &["chat", "room"]), expected);
    }

    #[test]
    fn paths_in_expressions_types_and_macros_are_seen() {
        let source = "fn f() -> crate::a::T<crate::b::U> { vec![crate::c::v(); 2]; x.len::<u8>();
            <crate::d::W as ::std::fs::X>::new(); std::time::Instant::now() }";
        let expected = ["crate::a::T", "crate::b::U", "crate::c::v", "crate::d::W"];
        let found = named(source, &[]);
        assert_eq!(found[..4], expected);
        assert!(found.contains(&"std::time::Instant::now".to_owned()));
    }
}

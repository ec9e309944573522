//! Finds addresses of the web in what people said.
//!
//! Invariant: only `http` and `https`, and what is shown is what is opened: a link ends before
//! anything that takes no ink or turns the direction of writing.

use std::ops::Range;

use parlor_shared::text::is_invisible;

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Byte ranges of the links in `text`, in order.
#[must_use]
pub fn find(text: &str) -> Vec<Range<usize>> {
    let mut links = Vec::new();
    let mut from = 0;
    while let Some(start) = next_start(text, from) {
        let end = end_of(text, start);
        let host = SCHEMES.iter().find_map(|it| text[start..end].strip_prefix(it));
        if host
            .is_some_and(|it| it.starts_with(|first: char| first.is_alphanumeric() || first == '['))
        {
            links.push(start..end);
        }
        from = end.max(start + 1);
        while !text.is_char_boundary(from) {
            from += 1;
        }
    }
    links
}

/// Where the next scheme begins that does not continue a word.
fn next_start(text: &str, mut from: usize) -> Option<usize> {
    loop {
        let start = from + text.get(from..)?.find("http")?;
        let before = text[..start].chars().next_back();
        let is_word = before.is_some_and(char::is_alphanumeric);
        if !is_word && SCHEMES.iter().any(|it| text[start..].starts_with(it)) {
            return Some(start);
        }
        from = start + "http".len();
    }
}

fn end_of(text: &str, start: usize) -> usize {
    let stops = |it: char| {
        it.is_whitespace()
            || it.is_control()
            || is_invisible(it)
            || matches!(it, '<' | '>' | '"' | '`')
    };
    let mut end = text[start..].find(stops).map_or(text.len(), |it| start + it);
    // What closes a sentence or a bracket that was opened outside is not part of the address.
    while let Some(last) = text[start..end].chars().next_back() {
        let closes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '…' | '”' | '’' | '»' | '*' => true,
            ')' => is_unopened(&text[start..end], '(', ')'),
            ']' => is_unopened(&text[start..end], '[', ']'),
            '}' => is_unopened(&text[start..end], '{', '}'),
            _ => false,
        };
        if !closes {
            break;
        }
        end -= last.len_utf8();
    }
    end
}

fn is_unopened(text: &str, open: char, close: char) -> bool {
    text.matches(close).count() > text.matches(open).count()
}

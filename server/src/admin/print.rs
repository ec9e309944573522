//! What is printed: aligned tables and sentences for people, one line of JSON per row for programs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use parlor_shared::text::{is_bidi_control, is_control, is_invisible};
use parlor_shared::{Reply, UnixMillis};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

/// Between two columns.
const GAP: &str = "  ";

/// Where everything is printed.
pub(super) struct Out<'a> {
    to: &'a mut dyn Write,
    /// For programs.
    is_json: bool,
}

/// A table that comes page by page: its columns grow and never shrink.
pub(super) struct Table {
    head: &'static [&'static str],
    widths: Vec<usize>,
    rows: u64,
}

impl<'a> Out<'a> {
    pub(super) fn new(to: &'a mut dyn Write, is_json: bool) -> Self {
        Self { to, is_json }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// One page of a table.
    pub(super) fn rows<T: Serialize>(
        &mut self,
        table: &mut Table,
        rows: &[T],
        cells: impl Fn(&T) -> Vec<String>,
    ) -> io::Result<()> {
        if self.is_json {
            return rows.iter().try_for_each(|it| self.json(it));
        }
        let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
        for row in &rows {
            for (width, cell) in table.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        if table.rows == 0 && !rows.is_empty() {
            let head: Vec<String> = table.head.iter().map(|it| (*it).to_owned()).collect();
            self.row(&table.widths, &head)?;
        }
        table.rows += rows.len() as u64;
        rows.iter().try_for_each(|it| self.row(&table.widths, it))
    }

    /// After the last page: a list without rows says so.
    pub(super) fn end(&mut self, table: &Table, empty: &str) -> io::Result<()> {
        if table.rows > 0 || self.is_json {
            return Ok(());
        }
        writeln!(self.to, "{empty}")
    }

    /// Values with what they are, one per line.
    pub(super) fn card<T: Serialize>(
        &mut self,
        it: &T,
        lines: &[(&str, String)],
    ) -> io::Result<()> {
        if self.is_json {
            return self.json(it);
        }
        let width = lines.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        lines.iter().try_for_each(|(name, value)| {
            let gap = " ".repeat(width - name.width());
            writeln!(self.to, "{name}:{gap} {value}")
        })
    }

    /// What was done, and for programs what the server answered.
    pub(super) fn done(&mut self, reply: &Reply, sentence: &str) -> io::Result<()> {
        if self.is_json { self.json(reply) } else { writeln!(self.to, "{sentence}") }
    }

    fn row(&mut self, widths: &[usize], cells: &[String]) -> io::Result<()> {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(cells) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            line.push_str(GAP);
        }
        writeln!(self.to, "{}", line.trim_end())
    }

    fn json<T: Serialize>(&mut self, it: &T) -> io::Result<()> {
        writeln!(self.to, "{}", plain_json(&serde_json::to_string(it)?))
    }
}

impl Table {
    pub(super) fn new(head: &'static [&'static str]) -> Self {
        Self { head, widths: head.iter().map(|it| it.width()).collect(), rows: 0 }
    }
}

/// What somebody wrote, on one line and without power over the terminal.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let is_bad = |it: char| {
        is_control(it) || is_bidi_control(it) || matches!(it, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for it in text.chars() {
        match it {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            it if is_bad(it) => out.extend(it.escape_unicode()),
            it => out.push(it),
        }
    }
    Cow::Owned(out)
}

/// The same for JSON, in JSON's own way. Such characters are only ever inside its strings.
fn plain_json(json: &str) -> Cow<'_, str> {
    let is_bad =
        |it: char| is_control(it) || is_invisible(it) || matches!(it, '\u{2028}' | '\u{2029}');
    if !json.contains(is_bad) {
        return Cow::Borrowed(json);
    }
    let mut out = String::new();
    for it in json.chars() {
        if is_bad(it) {
            for unit in it.encode_utf16(&mut [0; 2]) {
                // A String takes whatever is written to it.
                write!(out, "\\u{unit:04x}").ok();
            }
        } else {
            out.push(it);
        }
    }
    Cow::Owned(out)
}

/// `2026-11-21 09:30 UTC`
pub(super) fn time(at: UnixMillis) -> String {
    let text = at.to_string();
    let (day, rest) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", rest.get(..5).unwrap_or_default())
}

pub(super) fn yes(it: bool) -> String {
    if it { "yes".to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(is_json: bool, pages: &[&[(&str, &str)]]) -> String {
        let mut bytes = Vec::new();
        let mut out = Out::new(&mut bytes, is_json);
        let mut table = Table::new(&["NAME", "SAYS"]);
        for page in pages {
            let cells =
                |it: &(&str, &str)| vec![shown(it.0).into_owned(), shown(it.1).into_owned()];
            out.rows(&mut table, page, cells).expect("printed");
        }
        out.end(&table, "Nobody.").expect("printed");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them_also_where_letters_are_wide() {
        let rows: &[(&str, &str)] = &[("ann", "a"), ("李小龍", "b"), ("e\u{301}e\u{301}", "c")];
        let text = printed(false, &[rows, &[("a much longer one", "d")]]);
        assert_eq!(
            text,
            "NAME    SAYS\nann     a\n李小龍  b\ne\u{301}e\u{301}      c\na much longer one  d\n"
        );
        assert_eq!(printed(false, &[&[]]), "Nobody.\n");
        assert_eq!(printed(true, &[&[]]), "");
    }

    #[test]
    fn nothing_that_somebody_wrote_commands_the_terminal() {
        let evil = "\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{7f}\u{202e}\u{2028}end";
        let text = printed(false, &[&[("x", evil)]]);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains(|it| it != '\n' && (is_control(it) || is_bidi_control(it))));
        assert!(text.contains("\\u{1b}]0;owned\\u{7}\\u{d}\\n\\u{9b}31m"), "{text}");
        let json = printed(true, &[&[("x", evil)]]);
        assert_eq!(json.lines().count(), 1, "{json}");
        assert!(!json.trim_end().contains(|it| is_control(it) || is_invisible(it)), "{json}");
        let back: (String, String) = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back.1, evil, "and nothing is lost");
        let tag = printed(true, &[&[("x", "\u{e0041}")]]);
        assert!(tag.contains("\\udb40\\udc41"), "{tag}");
    }

    #[test]
    fn times_are_short_and_say_which_clock() {
        assert_eq!(time(UnixMillis(1_795_253_400_000)), "2026-11-21 09:30 UTC");
    }
}

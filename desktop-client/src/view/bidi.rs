//! The order of words in lines that are written from right to left, which egui does not know:
//! it draws each Hebrew or Arabic word rightly, and the words of a line from left to right.
//!
//! A finished layout is taken line by line, its words and other characters are put where the
//! Unicode bidirectional algorithm says, and brackets are mirrored. Only places change: the
//! characters stay in their order, so what is copied is what was said.
//!
//! What this does not do: lines stay at the left; a selection is painted where the words stood
//! before; a word that is too long for its line, and a name that is cut short, stay as they
//! were; and while one types, in the composer, nothing is reordered.
//!
//! Invariant: each text is ordered for itself, so no direction leaks out of it; and embeddings
//! and overrides, which let a text read otherwise than it is, do nothing.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use egui::Galley;
use egui::epaint::text::{Glyph, PlacedRow};
use unicode_bidi::{Level, ParagraphBidiInfo};

/// A word of a right-to-left script, or one other character.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Piece {
    /// Where it begins in its paragraph, in bytes.
    at: usize,
    glyphs: Range<usize>,
}

/// True when a text has anything that is written from right to left.
#[must_use]
pub fn has_rtl(text: &str) -> bool {
    text.chars().any(is_rtl)
}

/// The blocks of the scripts that are written from right to left.
fn is_rtl(it: char) -> bool {
    matches!(it, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// The laid-out `text` in reading order. Where the layout is not understood it stays as it is.
#[must_use]
pub fn reorder(galley: Arc<Galley>, text: &str) -> Arc<Galley> {
    if !has_rtl(text) {
        return galley;
    }
    let mut ordered = (*galley).clone();
    if order_rows(&mut ordered.rows, text).is_some() { Arc::new(ordered) } else { galley }
}

fn order_rows(rows: &mut [PlacedRow], text: &str) -> Option<()> {
    let mut rows = rows.iter_mut();
    for paragraph in text.split('\n') {
        let visible = without_overrides(paragraph);
        let order = ParagraphBidiInfo::new(&visible, None);
        let mut from = 0;
        loop {
            let placed = rows.next()?;
            let (pieces, to) = pieces_of(&placed.row.glyphs, paragraph, from)?;
            let levels = order.reordered_levels(from..to);
            let levels: Vec<Level> = pieces.iter().map(|it| levels[it.at]).collect();
            if levels.iter().any(Level::is_rtl) {
                let row = Arc::make_mut(&mut placed.row);
                place(row, &pieces, &levels);
            }
            from = to;
            if from == paragraph.len() {
                break;
            }
        }
    }
    Some(())
}

/// The same bytes long, with nothing for embeddings and overrides.
fn without_overrides(text: &str) -> Cow<'_, str> {
    let is_override = |it: char| matches!(it, '\u{202a}'..='\u{202e}');
    // As long in bytes, and of no direction: places in one are places in the other.
    if text.contains(is_override) {
        text.replace(is_override, "\u{200b}").into()
    } else {
        text.into()
    }
}

/// Finds the pieces of one row in the text, and where in the text the row ends.
fn pieces_of(glyphs: &[Glyph], text: &str, mut at: usize) -> Option<(Vec<Piece>, usize)> {
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < glyphs.len() {
        let next = text.get(at..)?.chars().next()?;
        let (glyph_count, bytes) = if is_rtl(next) {
            // A word was shaped as a whole, so its glyphs are in the order of reading already,
            // and there may be more or less of them than characters.
            let glyph_count = glyphs[first..].iter().take_while(|it| is_rtl(it.chr)).count();
            let rest = &text[at..];
            (glyph_count, rest.find(|it| !is_rtl(it)).unwrap_or(rest.len()))
        } else {
            (usize::from(glyphs[first].chr == next), next.len_utf8())
        };
        if glyph_count == 0 {
            return None;
        }
        pieces.push(Piece { at, glyphs: first..first + glyph_count });
        first += glyph_count;
        at += bytes;
    }
    Some((pieces, at))
}

/// Puts the pieces of a row where they belong.
fn place(row: &mut egui::epaint::text::Row, pieces: &[Piece], levels: &[Level]) {
    let left_of = |piece: usize| {
        let glyph = pieces.get(piece).and_then(|it| row.glyphs.get(it.glyphs.start));
        glyph.map_or_else(|| row.glyphs.last().map_or(0.0, Glyph::max_x), |it| it.pos.x)
    };
    let edges: Vec<f32> = (0..=pieces.len()).map(left_of).collect();
    let mut x = edges.first().copied().unwrap_or_default();
    for piece in ParagraphBidiInfo::reorder_visual(levels) {
        let shift = x - edges[piece];
        x += edges[piece + 1] - edges[piece];
        for glyph in &mut row.glyphs[pieces[piece].glyphs.clone()] {
            glyph.pos.x += shift;
            if glyph.uv_rect.is_nothing() {
                continue;
            }
            let corner = glyph.first_vertex as usize;
            let Some(corners) = row.visuals.mesh.vertices.get_mut(corner..corner + 4) else {
                continue;
            };
            for vertex in &mut *corners {
                vertex.pos.x += shift;
            }
            if levels[piece].is_rtl() && is_mirrored(glyph.chr) {
                // The same picture from the other side.
                let [left_top, right_top, left_bottom, right_bottom] = corners else { continue };
                std::mem::swap(&mut left_top.uv.x, &mut right_top.uv.x);
                std::mem::swap(&mut left_bottom.uv.x, &mut right_bottom.uv.x);
            }
        }
    }
}

/// The commonest of the characters that face the direction of writing.
fn is_mirrored(it: char) -> bool {
    matches!(it, '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '«' | '»' | '‹' | '›' | '≤' | '≥')
}

/// The words and characters of one line from left to right as they are shown.
#[must_use]
pub fn shown_order(line: &str) -> Vec<&str> {
    let visible = without_overrides(line);
    let order = ParagraphBidiInfo::new(&visible, None);
    let levels = order.reordered_levels(0..line.len());
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let bytes = if is_rtl(first) {
            rest.find(|it| !is_rtl(it)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        pieces.push((line.len() - rest.len(), &rest[..bytes]));
        rest = &rest[bytes..];
    }
    let levels: Vec<Level> = pieces.iter().map(|(at, _)| levels[*at]).collect();
    ParagraphBidiInfo::reorder_visual(&levels).into_iter().map(|it| pieces[it].1).collect()
}

//! How a new name may be written: in one alphabet, with letters that are in use today, and with
//! nothing in it that cannot be seen.
//!
//! UTS-39's highly restrictive profile, except that a name is not an identifier: spaces,
//! punctuation and emoji are fine, and so are the alphabets that UTS-39 leaves out because few
//! people use them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_properties::emoji::{is_regional_indicator, is_zwj};
use unicode_properties::{GeneralCategory, UnicodeEmoji as _, UnicodeGeneralCategory as _};
use unicode_script::{Script, UnicodeScript as _};
use unicode_security::GeneralSecurityProfile as _;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::reply::Refusal;
use crate::text::is_invisible;

/// Marks on one letter at most (UTS-39, 5.4): more climbs over the lines above.
const MARKS_MAX: usize = 4;
/// Tags after a black flag at most: `gbeng` and its end.
const TAGS_MAX: usize = 8;

const ZWNJ: char = '\u{200c}';
const TEXT_STYLE: char = '\u{fe0e}';
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
const TAG_END: char = '\u{e007f}';

/// One alphabet, letters of today, nothing invisible.
///
/// # Errors
/// [`Refusal::NameInvisible`] or [`Refusal::NameMixed`].
pub(crate) fn check(text: &str) -> Result<(), Refusal> {
    check_visible(text)?;
    check_letters(text)?;
    check_one_alphabet(text)
}

/// One alphabet: Latin together with Chinese, Japanese or Korean counts as one, as people who
/// write those write both.
pub(crate) fn check_one_alphabet(text: &str) -> Result<(), Refusal> {
    let (mut all, mut beside_latin) =
        (AugmentedScriptSet::default(), AugmentedScriptSet::default());
    // Dressed-up letters belong to no alphabet by themselves; what they stand for does.
    for it in text.nfkc() {
        let scripts = AugmentedScriptSet::for_char(it);
        all.intersect_with(scripts);
        if !scripts.base.contains_script(Script::Latin) {
            beside_latin.intersect_with(scripts);
        }
    }
    let is_east_asian = beside_latin.hanb || beside_latin.jpan || beside_latin.kore;
    if all.is_empty() && !is_east_asian {
        return Err(Refusal::NameMixed);
    }
    Ok(())
}

/// Letters and marks that people write with today, and not too many marks on one.
pub(crate) fn check_letters(text: &str) -> Result<(), Refusal> {
    let is_of_today = |it: char| {
        it.identifier_allowed()
            || it.is_emoji_char()
            || it == KEYCAP
            || it.identifier_type() == Some(IdentifierType::Limited_Use)
            // Vowel points of Hebrew and Arabic: rare, and nothing looks like them.
            || is_combining_mark(it) && it.identifier_type() == Some(IdentifierType::Uncommon_Use)
    };
    let is_letter = |it: &char| it.is_alphabetic() || is_combining_mark(*it);
    // An unassigned or private character has no looks that anybody could know.
    let is_known = |it: char| {
        let category = it.general_category();
        !matches!(category, GeneralCategory::Unassigned | GeneralCategory::PrivateUse)
    };
    let mut marks = 0;
    for it in text.nfd() {
        marks = if is_combining_mark(it) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            return Err(Refusal::NameMixed);
        }
    }
    let visible = || text.nfkc().filter(|it| !is_invisible(*it));
    if visible().filter(is_letter).all(is_of_today) && visible().all(is_known) {
        Ok(())
    } else {
        Err(Refusal::NameMixed)
    }
}

/// Nothing that cannot be seen, except where it changes what is seen: joiners inside emoji and
/// in scripts that need them (UAX-31, 2.3), and an emoji's style.
pub(crate) fn check_visible(text: &str) -> Result<(), Refusal> {
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let (before, after) = (&letters[..at], &letters[at + 1..]);
        let is_seen = match letters[at] {
            BLACK_FLAG => {
                at += tags(after);
                true
            }
            TEXT_STYLE | EMOJI_STYLE => before.last().is_some_and(|it| {
                it.is_emoji_char() && (!it.is_ascii() || after.first() == Some(&KEYCAP))
            }),
            it if is_zwj(it) => joins_emoji(before, after) || follows_virama(before),
            ZWNJ => {
                parts_cursive(before, after)
                    || follows_virama(before) && after.first().is_some_and(|it| it.is_alphabetic())
            }
            it => !is_invisible(it),
        };
        if !is_seen {
            return Err(Refusal::NameInvisible);
        }
        at += 1;
    }
    Ok(())
}

/// How many characters after a black flag make it that of a region (England's for instance).
fn tags(after: &[char]) -> usize {
    let is_tag = |it: &&char| matches!(it, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let tags = after.iter().take_while(is_tag).count();
    if (1..=TAGS_MAX).contains(&tags) && after.get(tags) == Some(&TAG_END) { tags + 1 } else { 0 }
}

/// A joiner between two emoji makes one of them: a family, a profession, a flag.
fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let is_emoji = |it: &char| it.is_emoji_char() && !it.is_ascii() && !is_regional_indicator(*it);
    let base = before.iter().rfind(|it| **it != EMOJI_STYLE);
    base.is_some_and(is_emoji) && after.first().is_some_and(is_emoji)
}

/// After a virama (Devanagari, Sinhala, Malayalam …) a joiner chooses the letters' shape.
fn follows_virama(before: &[char]) -> bool {
    const VIRAMA: u8 = 9;
    let letter = before.iter().rfind(|it| !is_combining_mark(**it));
    let is_virama = |it: &char| canonical_combining_class(*it) == VIRAMA;
    before.last().is_some_and(is_virama) && letter.is_some_and(|it| it.is_alphabetic())
}

/// Between two letters of the Arabic script that would be joined, as Persian writes it.
fn parts_cursive(before: &[char], after: &[char]) -> bool {
    let base = before.iter().rfind(|it| !is_combining_mark(**it));
    let joins_onward = |it: &char| is_arabic_letter(*it) && !ends_a_stroke(*it);
    let can_be_joined = |it: &char| is_arabic_letter(*it) && !matches!(it, '\u{621}' | '\u{674}');
    base.is_some_and(joins_onward) && after.first().is_some_and(can_be_joined)
}

fn is_arabic_letter(it: char) -> bool {
    matches!(it, '\u{620}'..='\u{64a}' | '\u{66e}'..='\u{6d5}' | '\u{6ee}'..='\u{6ff}')
        && it.is_alphabetic()
        && !is_combining_mark(it)
        && it.script() == Script::Arabic
}

/// Arabic letters that never join the next one (`Joining_Type` R or U in the Unicode tables).
fn ends_a_stroke(it: char) -> bool {
    matches!(it,
        '\u{621}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62f}'..='\u{632}' | '\u{648}'
        | '\u{671}'..='\u{677}' | '\u{688}'..='\u{699}' | '\u{6c0}' | '\u{6c3}'..='\u{6cb}'
        | '\u{6cd}' | '\u{6cf}' | '\u{6d2}' | '\u{6d3}' | '\u{6d5}' | '\u{6ee}' | '\u{6ef}')
}

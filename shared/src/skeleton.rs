//! What the eye sees of a name: one value for all names that look the same.
//!
//! The UTS-39 skeleton comes first and everything else is made of it alone, so whatever the
//! confusables table takes for the same is the same here, however it was written. Case is folded
//! over that: where a capital and its small letter look like two different letters (a Cyrillic
//! `В` like `B`, its `в` like a small capital), all of them are one.
//!
//! Invariant: no two ASCII letters become one, except those that the eye cannot tell apart
//! (`I`, `l`, `i` and `1`; `0` and `o`). So a Greek `ν`, which looks like `v` while its capital
//! looks like `N`, stays two letters: case is not folded there.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

use crate::text::is_invisible;

/// Equal for names that look the same.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    #[must_use]
    pub fn of(name: &str) -> Self {
        // Folding case makes two letters of this one; to the table it looks like a Greek beta.
        let name = name.replace(['ß', 'ẞ'], "ss");
        let seen: String = skeleton(&name).collect();
        // Circled, superscript and other dressed-up letters are what they stand for.
        let plain: String = seen.nfkd().filter(|it| !is_invisible(*it)).collect();
        let letters: String = skeleton(&plain).map(letter).collect();
        // A capital M is one letter to the table, the small one two: r and n.
        let mut looks = spaced(skeleton(&letters).map(letter));
        if !looks.is_ascii() {
            for (parts, case) in TAKEN_APART.iter() {
                looks = looks.replace(parts, case);
            }
        }
        Self(looks.into())
    }

    /// Its letters and digits only: what is left of a name when its decoration is taken off.
    #[must_use]
    pub fn letters(&self) -> String {
        self.0.chars().filter(|it| it.is_alphanumeric()).collect()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// White space as one space each, none at the ends.
fn spaced(text: impl Iterator<Item = char>) -> String {
    let mut spaced = String::new();
    for it in text {
        if !it.is_whitespace() {
            spaced.push(it);
        } else if !spaced.is_empty() && !spaced.ends_with(' ') {
            spaced.push(' ');
        }
    }
    spaced.truncate(spaced.trim_end().len());
    spaced
}

/// The one letter that stands for all that `it` looks like in either case.
fn letter(it: char) -> char {
    static LETTERS: LazyLock<HashMap<char, char>> = LazyLock::new(|| Classes::of_cases().letters());
    LETTERS.get(&it).copied().unwrap_or(it)
}

/// Letters that the table takes apart differently in each case, a Cyrillic `Б` for instance: what
/// the one looks like, and what the other.
static TAKEN_APART: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let looks = |it: char| -> String {
        let apart: String = skeleton(it.encode_utf8(&mut [0; 4])).map(letter).collect();
        skeleton(&apart).map(letter).collect()
    };
    let mut pairs = Vec::new();
    for one in cased().filter(|it| only(skeleton(it.encode_utf8(&mut [0; 4]))).is_none()) {
        let cases = only(one.to_lowercase()).into_iter().chain(only(one.to_uppercase()));
        let parts = looks(one);
        for case in cases.map(looks).filter(|it| *it != parts) {
            // Never what could be written without that letter; and of two only the one way.
            let is_back = pairs.contains(&(case.clone(), parts.clone()));
            if !parts.is_ascii() && parts.chars().count() > 1 && !is_back {
                pairs.push((parts.clone(), case));
            }
        }
    }
    pairs
});

/// All letters that have cases. Cyrillic comes first: where two alphabets want one look-alike for
/// two letters, the one with more people in it gets its way.
fn cased() -> impl Iterator<Item = char> {
    ('\u{400}'..='\u{4ff}').chain('\0'..='\u{1ffff}')
}

/// Letters that are one letter, as a forest: each points to another one, the last to itself.
#[derive(Default)]
struct Classes {
    parents: HashMap<char, char>,
    /// The ASCII letter or digit among them, by root.
    ascii: HashMap<char, char>,
}

impl Classes {
    /// What capitals and small letters look like, joined pair by pair.
    fn of_cases() -> Self {
        let mut classes = Self::default();
        for (one, other) in [('I', 'i'), ('l', 'i'), ('1', 'i'), ('0', 'O'), ('O', 'o')] {
            classes.join(one, other, true);
        }
        for one in cased() {
            let changes = only(one.to_lowercase()).into_iter().chain(only(one.to_uppercase()));
            for other in changes.filter(|it| *it != one) {
                classes.join(seen(one), seen(other), false);
            }
        }
        classes
    }

    fn root(&self, mut it: char) -> char {
        while let Some(&parent) = self.parents.get(&it) {
            it = parent;
        }
        it
    }

    fn ascii(&self, root: char) -> Option<char> {
        let own = root.is_ascii_alphanumeric().then(|| root.to_ascii_lowercase());
        self.ascii.get(&root).copied().or(own)
    }

    fn join(&mut self, one: char, other: char, is_same: bool) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let ascii = match (self.ascii(one), self.ascii(other)) {
            (Some(one), Some(other)) if one != other && !is_same => return,
            (one, other) => one.or(other),
        };
        self.parents.insert(one, other);
        if let Some(ascii) = ascii {
            self.ascii.insert(other, ascii);
        }
    }

    /// For each letter the one that stands for it: an ASCII one where there is any, else one
    /// that the table takes apart, which it would do to that one anyway.
    fn letters(&self) -> HashMap<char, char> {
        let mut all: Vec<char> = self.parents.iter().flat_map(|(one, it)| [*one, *it]).collect();
        all.sort_unstable();
        all.dedup();
        let mut taken_apart = HashMap::new();
        for it in all.iter().filter(|it| is_taken_apart(**it)) {
            taken_apart.entry(self.root(*it)).or_insert(*it);
        }
        let stands_for =
            |root| self.ascii(root).or(taken_apart.get(&root).copied()).unwrap_or(root);
        all.into_iter().map(|it| (it, stands_for(self.root(it)))).collect()
    }
}

/// What one letter looks like; itself where that is several.
fn seen(it: char) -> char {
    let mut buffer = [0; 4];
    only(skeleton(it.encode_utf8(&mut buffer))).unwrap_or(it)
}

fn is_taken_apart(it: char) -> bool {
    skeleton(it.encode_utf8(&mut [0; 4])).count() > 1
}

fn only(mut of: impl Iterator<Item = char>) -> Option<char> {
    let first = of.next()?;
    of.next().is_none().then_some(first)
}

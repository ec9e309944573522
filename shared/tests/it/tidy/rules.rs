//! The house rules as functions from source to complaints, so that each can be seen to fail.

use std::collections::BTreeSet;

use super::source::{NamedPath, Token};

/// One crate's floors.
pub(super) struct House {
    /// The folder at the top level.
    pub(super) folder: &'static str,
    /// The library's name in paths.
    pub(super) own_name: &'static str,
    /// Each module, and the modules right beneath it. What those may use, it may use too;
    /// nobody looks up, and modules beside each other do not know each other.
    pub(super) floors: &'static [(&'static str, &'static [&'static str])],
    /// Modules that everybody may use except those named.
    pub(super) open_to_all_but: &'static [(&'static str, &'static [&'static str])],
    /// Crates of this workspace that only some modules may name.
    pub(super) kin: &'static [(&'static str, &'static [&'static str])],
    /// Values in, values out.
    pub(super) pure: &'static [&'static str],
}

/// An address is a value; a socket is not.
pub(super) const ADDRESSES: &[&str] =
    &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr"];

/// Roots that a pure module does not name, and what beneath them it may.
const IMPURE: &[(&str, &[&str])] = &[
    ("std::env", &[]),
    ("std::fs", &[]),
    ("std::io", &[]),
    ("std::net", ADDRESSES),
    ("std::os", &[]),
    ("std::path", &[]),
    ("std::process", &[]),
    ("std::thread", &[]),
    ("std::time", &["std::time::Duration"]),
    ("std::sync", &["std::sync::Arc"]),
    ("std::cell", &["std::cell::Cell"]),
    ("std::hash::RandomState", &[]),
    ("std::collections::hash_map::RandomState", &[]),
];

/// Packages that a pure module does not name.
const IMPURE_PACKAGES: &[&str] = &[
    "clap",
    "crossbeam",
    "crossbeam_channel",
    "directories",
    "eframe",
    "egui",
    "fastrand",
    "getrandom",
    "log",
    "mio",
    "rand",
    "rusqlite",
    "rustix",
    "signal_hook",
    "simplelog",
    "socket2",
    "tempfile",
];

const IMPURE_MACROS: &[&str] = &[
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "thread_local",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
];

/// Words that mean nothing or something else here (the plan says what is said instead).
const UNUSED_WORDS: &[&str] = &[
    "channel", "common", "data", "handler", "helper", "helpers", "info", "manager", "service",
    "util", "utils",
];

impl House {
    fn allowed(&self, module: &str) -> Option<BTreeSet<&'static str>> {
        let beneath = |name: &str| self.floors.iter().find(|it| it.0 == name).map(|it| it.1);
        let is_open = self.open_to_all_but.iter().any(|it| it.0 == module);
        let mut open: Vec<_> = match beneath(module) {
            Some(floors) => floors.to_vec(),
            None if is_open => Vec::new(),
            None => return None,
        };
        let mut allowed = BTreeSet::new();
        while let Some(name) = open.pop() {
            if allowed.insert(name) {
                open.extend(beneath(name).unwrap_or_default());
            }
        }
        let free = self.open_to_all_but.iter().filter(|it| !it.1.contains(&module));
        allowed.extend(free.map(|it| it.0));
        Some(allowed)
    }

    fn has(&self, module: &str) -> bool {
        self.floors.iter().any(|it| it.0 == module)
            || self.open_to_all_but.iter().any(|it| it.0 == module)
    }

    /// Who uses whom, in one file.
    pub(super) fn floors(&self, module: &str, paths: &[NamedPath]) -> Vec<(usize, String)> {
        // The root only declares the modules and says what the crate is.
        if module == "lib" {
            return Vec::new();
        }
        let Some(allowed) = self.allowed(module) else {
            return vec![(1, format!("`{module}` has no floor: give it a line in the table"))];
        };
        let mut wrong = Vec::new();
        for path in paths {
            let root = path.words[0].as_str();
            let used = path.words.get(1).map_or("", String::as_str);
            if root == "crate" && (used.is_empty() || used == "*") {
                wrong.push((path.line, "name the module, not the whole crate".to_owned()));
            } else if root == "crate" && module == "main" && !self.has(used) {
                // What the root hands out is for the program.
            } else if root == "crate" && used != module && !allowed.contains(used) {
                let types = used.starts_with(char::is_uppercase);
                let hint = if types { " (name it by its module)" } else { "" };
                wrong.push((path.line, format!("`{module}` may not use `{used}`{hint}")));
            }
            let kin = self.kin.iter().find(|it| it.0 == root);
            if kin.is_some_and(|(_, who)| !who.contains(&module)) {
                wrong.push((path.line, format!("`{module}` may not use the crate `{root}`")));
            }
        }
        wrong
    }

    /// The brains know no clock, file, socket, thread, lock, screen, log or random number.
    pub(super) fn purity(
        &self,
        module: &str,
        tokens: &[Token],
        paths: &[NamedPath],
    ) -> Vec<(usize, String)> {
        if !self.pure.contains(&module) {
            return Vec::new();
        }
        let mut wrong: Vec<_> = paths
            .iter()
            .filter(|it| is_impure(it))
            .map(|it| {
                (it.line, format!("`{module}` is pure and names no `{}`", it.words.join("::")))
            })
            .collect();
        for pair in tokens.windows(2) {
            if pair[1].text == "!" && IMPURE_MACROS.contains(&pair[0].text.as_str()) {
                wrong.push((
                    pair[0].line,
                    format!("`{module}` is pure and says no `{}!`", pair[0].text),
                ));
            }
        }
        wrong
    }
}

fn is_impure(path: &NamedPath) -> bool {
    let root = path.words[0].as_str();
    if IMPURE_PACKAGES.contains(&root) {
        return true;
    }
    if !matches!(root, "std" | "core" | "alloc") {
        return false;
    }
    // `use std;`, `use std::*`, `use std as s`: any of them opens everything.
    if path.imported && (path.words.len() == 1 || path.words[1] == "*") {
        return true;
    }
    let full = format!("std::{}::", path.words[1..].join("::"));
    let beneath = |root: &str| full.starts_with(&format!("{root}::"));
    IMPURE.iter().any(|(root, but)| beneath(root) && !but.iter().any(|it| beneath(it)))
}

/// Colours come from the theme, or light and dark cannot both be right.
pub(super) fn colours(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    for at in tokens.windows(3) {
        let [ty, sep, name] = at else { continue };
        let name = name.text.as_str();
        let is_fixed = name.starts_with(char::is_uppercase)
            && name.len() > 1
            && !matches!(name, "TRANSPARENT" | "PLACEHOLDER");
        let is_colour = matches!(ty.text.as_str(), "Color32" | "Rgba" | "Hsva");
        if is_colour && sep.text == "::" && (name.starts_with("from_") || is_fixed) {
            wrong.push((ty.line, format!("a colour outside the theme: `{}::{name}`", ty.text)));
        }
        if ty.text == "hex_color" && sep.text == "!" {
            wrong.push((ty.line, "a colour outside the theme: `hex_color!`".to_owned()));
        }
    }
    wrong
}

/// One word, one thing: names of types, traits and modules.
pub(super) fn words(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    for pair in tokens.windows(2) {
        let declares =
            matches!(pair[0].text.as_str(), "struct" | "enum" | "trait" | "type" | "mod");
        if !declares {
            continue;
        }
        for word in words_of(&pair[1].text) {
            if UNUSED_WORDS.contains(&word.as_str()) {
                wrong
                    .push((pair[1].line, format!("`{}`: the house has no `{word}`", pair[1].text)));
            }
        }
    }
    wrong
}

/// `RoomInfo` → room, info; `room_info` too.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter != '_', words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|it| !it.is_empty());
    words
}

/// Paths of the machine where something was written have no place in a repository.
pub(super) fn machine_paths(text: &str) -> Vec<(usize, String)> {
    // Put together here, so that this file does not complain about itself.
    let roots = ["work", "root", "home"].map(|it| format!("/{it}/"));
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for root in &roots {
            for (at, _) in line.match_indices(root.as_str()) {
                // Inside an address or behind another folder's name it is no path of a machine.
                let before = line[..at].chars().next_back();
                if !before.is_some_and(|it| it.is_alphanumeric() || "._-~}".contains(it)) {
                    wrong.push((number + 1, format!("a path of some machine: `{root}…`")));
                }
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::source::{paths, tokens};
    use super::*;

    const HOUSE: House = House {
        folder: "house",
        own_name: "parlor_house",
        floors: &[
            ("main", &["hub"]),
            ("hub", &["store", "delivery"]),
            ("store", &["chat"]),
            ("delivery", &["chat"]),
            ("chat", &[]),
        ],
        open_to_all_but: &[("words", &["chat", "store"]), ("threads", &["chat"])],
        kin: &[("parlor_other", &["main"])],
        pure: &["chat"],
    };

    fn floors(module: &str, source: &str) -> Vec<String> {
        let home = [module.to_owned(), "part".to_owned()];
        let paths = paths(&tokens(source), &home, HOUSE.own_name);
        HOUSE
            .floors(module, &paths)
            .into_iter()
            .map(|(line, why)| format!("{line} {why}"))
            .collect()
    }

    fn purity(source: &str) -> usize {
        let tokens = tokens(source);
        let paths = paths(&tokens, &["chat".to_owned()], HOUSE.own_name);
        HOUSE.purity("chat", &tokens, &paths).len()
    }

    #[test]
    fn looking_down_is_allowed() {
        assert_eq!(
            floors("main", "use parlor_house::{hub, chat::Chat}; use parlor_other::X;"),
            [""; 0]
        );
        assert_eq!(floors("hub", "use crate::{store::Store, words}; use super::Mine;"), [""; 0]);
        assert_eq!(floors("threads", "use std::thread; use crate::words;"), [""; 0]);
    }

    #[test]
    fn looking_up_or_sideways_is_not() {
        for (module, source) in [
            ("chat", "use crate::store::Store;"),
            ("store", "\n\nfn f() { crate::hub::run() }"),
            ("store", "use crate::{chat, hub};"),
            ("store", "use super::super::hub;"),
            ("store", "mod tests { use super::super::super::hub; }"),
            ("delivery", "use crate::store;"),
            ("chat", "use crate::words;"),
            ("chat", "use crate::threads::start;"),
            ("threads", "use crate::chat;"),
            ("hub", "use crate::*;"),
            ("hub", "use crate as house;"),
            ("hub", "use crate::Store;"),
            ("hub", "use parlor_other::X;"),
            ("attic", "fn f() {}"),
        ] {
            assert_eq!(floors(module, source).len(), 1, "{module}: {source}");
        }
        assert_eq!(
            floors("store", "\n\nfn f() { crate::hub::run() }"),
            ["3 `store` may not use `hub`"]
        );
    }

    #[test]
    fn a_brain_has_values_only() {
        for source in [
            "use std::fs;",
            "use std::{collections::BTreeMap, io::Write};",
            "fn f() { std::time::Instant::now(); }",
            "use std::time::{Duration, SystemTime};",
            "use std::sync::{Arc, Mutex};",
            "use std::sync::atomic::AtomicU64;",
            "use std::*;",
            "use std as s;",
            "use core::cell::RefCell;",
            "use crossbeam_channel::Sender;",
            "fn f(_: egui::Ui) {} ",
            "use rand;",
            "fn f() { log::debug!(\"x\") }",
            "fn f() { println!() }",
            "fn f() { getrandom::fill(&mut x) }",
        ] {
            assert!(purity(source) > 0, "{source}");
        }
        for source in [
            "use std::{collections::BTreeMap, sync::Arc, time::Duration, fmt};",
            "// std::fs\nfn f() { \"std::fs println!\"; logged::x(); }",
            "#[derive(thiserror::Error)] struct S; use parlor_shared::Text;",
        ] {
            assert_eq!(purity(source), 0, "{source}");
        }
    }

    #[test]
    fn colours_words_and_machine_paths_are_seen() {
        for source in ["Color32::from_rgb(1, 2, 3)", "egui::Color32::RED", "hex_color!(\"#fff\")"] {
            assert_eq!(colours(&tokens(source)).len(), 1, "{source}");
        }
        assert_eq!(colours(&tokens("x: Color32 = Color32::TRANSPARENT; theme.Color32")), []);
        for source in [
            "struct RoomInfo;",
            "enum Channel {}",
            "mod utils {}",
            "type X = Y; trait EventHandler {}",
        ] {
            assert_eq!(words(&tokens(source)).len(), 1, "{source}");
        }
        assert_eq!(words(&tokens("struct Information; struct Database; fn data() {}")), []);
        let path = |root: &str| format!("see /{root}/x for it, http://a/{root}/b not");
        for root in ["work", "root", "home"] {
            assert_eq!(machine_paths(&path(root)).len(), 1);
        }
    }
}

//! The house rules that the compiler does not see. The tables here *are* the architecture:
//! changing a line in them is changing the house, and belongs into a commit that says so.

mod rules;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use rules::House;

const SERVER: House = House {
    folder: "server",
    own_name: "parlor_server",
    floors: &[
        ("main", &["run"]),
        ("run", &["server", "program_log", "admin"]),
        ("admin", &["backup", "gate", "folder", "shell"]),
        (
            "server",
            &["config", "folder", "doors", "chatlog", "backup", "identity", "shell", "outbox"],
        ),
        ("shell", &["gate"]),
        ("outbox", &["mail", "hub"]),
        ("identity", &["config"]),
        ("config", &["mail"]),
        ("mail", &[]),
        ("folder", &[]),
        ("program_log", &[]),
        ("doors", &["gate"]),
        ("gate", &["hub", "figures"]),
        ("figures", &["store"]),
        ("hub", &["connection", "store"]),
        ("delivery", &["chat"]),
        ("connection", &["delivery"]),
        ("chatlog", &["store"]),
        ("backup", &["store", "folder"]),
        ("store", &["chat"]),
        ("chat", &[]),
    ],
    open_to_all_but: &[
        ("limits", &["chat"]),
        ("words", &["chat"]),
        ("platform", &["chat"]),
        ("threads", &["chat"]),
    ],
    kin: &[("parlor_desktop", &[])],
    pure: &["chat"],
};

const DESKTOP: House = House {
    folder: "desktop-client",
    own_name: "parlor_desktop",
    floors: &[
        ("main", &["app"]),
        ("app", &["view", "link", "archive", "host", "model", "settings", "notify"]),
        ("view", &["model"]),
        ("link", &["model"]),
        ("archive", &["model"]),
        ("host", &["model"]),
        // Every trouble of those below has its sentence here.
        ("words", &["model", "host"]),
        ("settings", &[]),
        ("notify", &[]),
        ("model", &[]),
    ],
    open_to_all_but: &[
        (
            "words",
            &[
                "main", "model", "link", "archive", "host", "settings", "notify", "platform",
                "threads",
            ],
        ),
        ("platform", &["model"]),
        ("threads", &["model"]),
    ],
    // The app serves as a second process of the same executable, and keeps its log the same way.
    kin: &[("parlor_server", &["main", "app"])],
    pure: &["model"],
};

const SHARED: House = House {
    folder: "shared",
    own_name: "parlor_shared",
    floors: &[],
    open_to_all_but: &[],
    kin: &[("parlor_server", &[]), ("parlor_desktop", &[])],
    pure: &[],
};

/// Source files longer than about 500 lines ask to be split by meaning; a tenth more is "about".
const LINES_MAX: usize = 550;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_path_buf()
}

/// Files under `folder`, build output and what people said left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A folder, or in a second working tree a file that names one.
        if name == ".git" {
            continue;
        }
        if path.is_dir() {
            let is_ours = name != "target" && name != "proptest-regressions";
            if is_ours
                && !(name != "chatlogs" && path.parent().is_some_and(|it| it.ends_with("chatlogs")))
            {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A crate's source files: path from the root, module path, text.
fn sources(house: &House) -> Vec<(String, Vec<String>, String)> {
    let src = root().join(house.folder).join("src");
    let rust = |it: &PathBuf| it.extension().is_some_and(|it| it == "rs");
    files(&src)
        .into_iter()
        .filter(rust)
        .map(|path| {
            let text = fs::read_to_string(&path).expect("readable");
            let shown = path.strip_prefix(root()).expect("under the root").display().to_string();
            (shown, module_of(path.strip_prefix(&src).expect("under src")), text)
        })
        .collect()
}

/// `chat/room.rs` → chat, room; `chat/mod.rs` → chat; `chat.rs` → chat.
fn module_of(path: &Path) -> Vec<String> {
    let names = path.with_extension("");
    let mut names: Vec<_> = names.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    names.pop_if(|it| it == "mod");
    names
}

fn complain(what: &str, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{what}:\n{}\n", wrong.join("\n"));
}

#[test]
fn nobody_looks_up() {
    let mut wrong = Vec::new();
    for house in [&SERVER, &DESKTOP] {
        for (path, module, text) in sources(house) {
            let tokens = source::tokens(&text);
            let paths = source::paths(&tokens, home(&module), house.own_name);
            let found = house.floors(&module[0], &paths);
            wrong.extend(found.into_iter().map(|(line, why)| format!("{path}:{line}: {why}")));
        }
    }
    complain("the floors", wrong);
}

/// The crate's root is `crate` itself.
fn home(module: &[String]) -> &[String] {
    if matches!(module[0].as_str(), "lib" | "main") { &[] } else { module }
}

#[test]
fn the_brains_are_pure() {
    let mut wrong = Vec::new();
    for house in [&SERVER, &DESKTOP] {
        for (path, module, text) in sources(house) {
            let tokens = source::tokens(&text);
            let paths = source::paths(&tokens, home(&module), house.own_name);
            let found = house.purity(&module[0], &tokens, &paths);
            wrong.extend(found.into_iter().map(|(line, why)| format!("{path}:{line}: {why}")));
        }
    }
    complain("the brains", wrong);
}

#[test]
fn the_words_know_no_socket_and_no_house() {
    let mut wrong = Vec::new();
    for (path, module, text) in sources(&SHARED) {
        let tokens = source::tokens(&text);
        for named in source::paths(&tokens, home(&module), SHARED.own_name) {
            let words = named.words.join("::");
            let is_world = ["std::net", "std::fs", "std::thread", "std::time", "std::env"]
                .iter()
                .any(|it| words.starts_with(it))
                && !rules::ADDRESSES.contains(&words.as_str());
            if is_world || SHARED.kin.iter().any(|it| named.words[0] == it.0) {
                wrong.push(format!("{path}:{}: `{words}`", named.line));
            }
        }
    }
    complain("the shared words", wrong);
}

#[test]
fn colours_are_in_the_theme() {
    let mut wrong = Vec::new();
    for (path, _, text) in sources(&DESKTOP) {
        if !path.ends_with("view/theme.rs") {
            let found = rules::colours(&source::tokens(&text));
            wrong.extend(found.into_iter().map(|(line, why)| format!("{path}:{line}: {why}")));
        }
    }
    complain("the theme", wrong);
}

#[test]
fn one_word_means_one_thing() {
    let mut wrong = Vec::new();
    for house in [&SERVER, &DESKTOP, &SHARED] {
        for (path, _, text) in sources(house) {
            let found = rules::words(&source::tokens(&text));
            wrong.extend(found.into_iter().map(|(line, why)| format!("{path}:{line}: {why}")));
        }
    }
    complain("words that the house does not use", wrong);
}

#[test]
fn every_file_has_one_reason() {
    let mut wrong = Vec::new();
    for house in [&SERVER, &DESKTOP, &SHARED] {
        for (path, _, text) in sources(house) {
            let lines = text.lines().count();
            if lines > LINES_MAX {
                wrong.push(format!("{path}: {lines} lines; split it by meaning"));
            }
            let stub = text.lines().count() <= 1;
            if !stub && !text.starts_with("//!") {
                wrong.push(format!("{path}: say in its first lines what it owns and why"));
            }
        }
    }
    complain("files", wrong);
}

#[test]
fn no_path_of_a_machine_is_in_the_tree() {
    let mut wrong = Vec::new();
    for path in files(&root()) {
        // What is not text is looked at by people.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let shown = path.strip_prefix(root()).expect("under the root").display().to_string();
        let found = rules::machine_paths(&text);
        wrong.extend(found.into_iter().map(|(line, why)| format!("{shown}:{line}: {why}")));
    }
    complain("paths", wrong);
}

/// The tables themselves: no floor rests on itself, and every module in them is in the tree or
/// planned to be.
#[test]
fn the_floors_have_no_loops() {
    for house in [&SERVER, &DESKTOP] {
        for (module, beneath) in house.floors {
            let mut open = beneath.to_vec();
            let mut steps = 0;
            while let Some(name) = open.pop() {
                assert_ne!(name, *module, "{}: `{module}` rests on itself", house.folder);
                let next = house.floors.iter().find(|it| it.0 == name);
                open.extend(next.unwrap_or_else(|| panic!("`{name}` has no floor")).1);
                steps += 1;
                assert!(steps < 10_000, "a loop beneath `{module}`");
            }
        }
    }
}

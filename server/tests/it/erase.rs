//! What is deleted is gone (P25): from the pages at once, from the disk soon, and for good.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

use std::fs;
use std::path::Path;

mod model;
mod server;

/// Files below `folder` in which `needle` stands.
fn files_with(folder: &Path, needle: &[u8]) -> Vec<String> {
    let finder = memchr::memmem::Finder::new(needle);
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        // What is being removed just now is not there.
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if finder.find(&fs::read(&path).unwrap_or_default()).is_some()
                || finder.find(path.as_os_str().as_encoded_bytes()).is_some()
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

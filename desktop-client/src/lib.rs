//! The Parlor desktop app: a pure brain (`model`), a face (`view`), and the bodies that join
//! them to the network (`link`), the disk (`archive`) and a chat served from here (`host`).

pub mod app;
pub mod archive;
pub mod host;
pub mod link;
pub mod model;
pub mod platform;
pub mod settings;
pub mod threads;
pub mod view;
pub mod words;

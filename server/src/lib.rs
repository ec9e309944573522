//! Parlor's server: a chat is one ordered log of events per room, and everything else is a
//! cursor on it.
//!
//! The river: a door turns bytes into frames, the gate checks what can be checked without
//! knowing the chat, the hub puts commands into their order, the chat decides, the store makes it
//! true, delivery tells people.

mod admin;
pub mod backup;
pub mod chat;
pub mod chatlog;
pub mod config;
pub mod connection;
pub mod delivery;
pub mod doors;
pub mod figures;
pub mod folder;
pub mod gate;
pub mod hub;
pub mod identity;
pub mod mail;
pub mod outbox;
pub mod platform;
pub mod program_log;
pub mod run;
pub mod server;
pub mod shell;
pub mod store;
pub mod threads;

pub use run::{main, main_with};

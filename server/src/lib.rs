//! The Parlor chat server.

pub mod chat;
pub mod delivery;
pub mod platform;
pub mod threads;

//! The server, from its brain to the real program under attack.

mod chat_props;
mod checker;
mod client;
mod harness;
mod script;

mod chat_props;
mod chatlog;
mod checker;
mod client;
mod delivery;
mod harness;
mod versions;

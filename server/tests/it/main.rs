mod chat_props;
mod checker;
mod client;
mod delivery;
mod harness;
mod versions;

//! The server, from its brain to the real program under attack.

mod admin;
mod backup;
mod chat_props;
mod chatlog;
mod checker;
mod client;
mod delivery;
mod erase;
mod harness;
mod hostile;
mod kill;
mod load;
mod mail;
mod mail_flow;
mod permissions;
mod pinned;
mod policy;
mod power;
mod script;
mod stop;
mod thin_pipe;
mod tls;
mod versions;

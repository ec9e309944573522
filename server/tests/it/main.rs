//! The server, from its brain to the real program under attack.

mod accounts;
mod admin;
mod backup;
mod chat_props;
mod chatlog;
mod checker;
mod client;
mod delivery;
mod erase;
mod expiry;
mod harness;
mod hostile;
mod kill;
mod load;
mod mail;
mod moderation;
mod permissions;
mod pinned;
mod power;
mod script;
mod sessions;
mod stop;
mod thin_pipe;
mod tls;
mod versions;

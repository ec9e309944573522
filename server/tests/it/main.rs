//! The server, from its brain to the real program under attack.

mod chat_props;

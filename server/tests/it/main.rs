mod chat_props;
mod chatlog;
mod delivery;

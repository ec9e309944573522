mod chat_props;
mod delivery;

//! Serves webhooks and the HTTP API. Never decides: it converts and forwards.

pub mod api;

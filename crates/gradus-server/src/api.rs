//! The HTTP API.

mod body;
mod error;
mod openapi;
mod query;
mod text;
pub mod v1;
mod versions;

pub use openapi::openapi_json;

pub(crate) use body::{JsonBody, not_json, read_bounded};
pub(crate) use error::ApiError;
pub(crate) use openapi::{hook_routes, routes};
pub(crate) use query::{At, Params, environment};
pub(crate) use text::clean;
pub(crate) use versions::release_of;

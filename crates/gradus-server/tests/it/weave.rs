//! The webhook of `pipelines.weave.works`, as its senders meet it: real requests
//! to a real socket, on pipelines and a time that hold state.

mod bounds;
mod defects;
pub(crate) mod pipelines;
mod rows;
mod time;
mod vectors;
pub(crate) mod world;

//! One command a file.

pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod plan;
pub(crate) mod serve;
pub(crate) mod status;

//! One command a file.

pub(crate) mod approve;
mod asked;
pub(crate) mod completions;
pub(crate) mod controller;
pub(crate) mod crds;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod init;
pub(crate) mod ledger;
pub(crate) mod lint;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod proposals;
pub(crate) mod reference;
pub(crate) mod report;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod token;

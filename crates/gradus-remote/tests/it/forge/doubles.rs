//! Servers that answer as forges do: they hold state, on a real Git repository, and take only what the forge's public
//! description names. Each has a table of [calls](call::Call) with the page that each was taken from; whatever is not
//! in it is refused, and fails the test.

mod azure_devops;
mod bitbucket;
mod bitbucket_server;
mod call;
mod git;
mod gitlab;
mod server;
mod tells;
mod world;

pub(super) use azure_devops::AZURE_DEVOPS;
pub(super) use bitbucket::BITBUCKET;
pub(super) use bitbucket_server::BITBUCKET_SERVER;
pub(super) use gitlab::GITLAB;
pub(super) use server::{Double, Fault, Kind, Who, coverage};

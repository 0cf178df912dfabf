//! Forges: where people review a proposal.
//!
//! [`ForgeApi`] is what gradus asks of one, over the model they have in common; each forge has a folder that makes
//! [requests](request::Request) without sending them and reads the answers. [`client`] sends, within the forge's
//! limits. [`RemoteForge`] is the engine's port on top of any of them.

pub mod address;
mod api;
pub mod azure_devops;
mod below;
pub mod bitbucket;
pub mod bitbucket_server;
pub mod client;
mod dispatch;
mod error;
mod examine;
mod extras;
pub mod gitea;
pub mod github;
mod github_shape;
pub mod gitlab;
mod known;
mod limit;
mod model;
mod open;
mod opening;
mod orders;
mod people;
mod proposals;
pub mod request;
#[cfg(test)]
mod sample;
mod standing;
mod sticky;
mod survey;
mod talk;
mod text;
pub mod token;
mod told;

pub use address::{ForgeKind, RepoAddress, host_of, kind_of_host};
pub use api::ForgeApi;
pub use error::{ForgeError, ForgeErrorKind, from_forge};
pub use examine::{Examination, Finding, State, examine, recognise};
pub use model::{
    Account, Check, CheckState, Comment, CommentId, DeploymentId, Identity, Label, MergeMethod, MergeOrder,
    Mergeable, Merged, NewCheck, NewDeployment, NewPull, Pull, PullChange, PullState, RepositoryFacts,
    Review, Reviewers, Rights, Standing, Verdict,
};
pub use open::{Forges, open};
pub use opening::open_once;
pub use proposals::{ForgeApis, RemoteForge};
pub use sticky::{Kept, keep_comment};
pub use survey::{Deed, ForgeSurvey, Hook, Lack, Left, Protection};

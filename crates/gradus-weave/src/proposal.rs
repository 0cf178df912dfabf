//! The words of a pull request. Others find it by them, so they never change.

use crate::promotion::Promotion;

/// The message of the commit.
pub const COMMIT_MESSAGE: &str = "promoting version";
/// The author of the commit, who has no address.
pub const AUTHOR: &str = "Promotion Server";

/// The branch: one for each pipeline and environment.
pub fn branch(promotion: &Promotion) -> String {
    format!("promotion-{}-{}-{}", promotion.namespace, promotion.pipeline, promotion.environment.name)
}

/// The title.
pub fn title(promotion: &Promotion) -> String {
    let Promotion { namespace, pipeline, environment, revision, spec: _, strategy: _ } = promotion;
    format!("Promote {namespace}/{pipeline} in {} to {revision}", environment.name)
}

/// The body, which says for machines what the pull request is about.
pub fn body(promotion: &Promotion) -> String {
    let Promotion { namespace, pipeline, environment, revision: _, spec: _, strategy: _ } = promotion;
    let name = &environment.name;
    format!(
        "<details>\n<summary>metadata</summary>\n!!! DO NOT EDIT !!!\n\n{namespace}/{pipeline}/{name}\n</details>"
    )
}

/// The marker of the values that are set, as it stands in a comment.
pub fn marker(promotion: &Promotion) -> String {
    let Promotion { namespace, pipeline, environment, revision: _, spec: _, strategy: _ } = promotion;
    format!("{namespace}:{pipeline}:{}", environment.name)
}

//! One comment for each purpose, which is edited in place of writing another.

use gradus_core::names::ProposalNumber;

use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{Comment, CommentId};

/// What became of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was not there.
    Written,
    /// It said something else.
    Edited,
    /// It said so already.
    AsItWas,
}

/// Sees to it that the comment with this key says this, and that there is one. Whatever else is said below the
/// proposal is left alone. Nothing is written where it says so already.
pub async fn keep_comment(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    key: &str,
    text: &str,
) -> Result<Kept, ForgeError> {
    let mark = format!("<!-- gradus: comment {key} -->");
    let body = format!("{text}\n\n{mark}\n");
    let known = find(api.comments(number).await?, |last| last == mark);
    match known {
        // Forges trim what they keep, and some keep other line ends.
        Some(known) if known.body.replace("\r\n", "\n").trim() == body.trim() => Ok(Kept::AsItWas),
        Some(known) => {
            let id = edit(api, number, &known.id, &body).await?;
            Ok(if id == known.id { Kept::Edited } else { Kept::Written })
        }
        None => api.comment(number, &body).await.map(|_| Kept::Written),
    }
}

/// The first comment whose last line is meant. Whoever quotes such a line, quotes it with something before or after.
pub(super) fn find(comments: Vec<Comment>, is_meant: impl Fn(&str) -> bool) -> Option<Comment> {
    let last = |comment: &Comment| comment.body.trim_end().lines().last().is_some_and(&is_meant);
    comments.into_iter().find(last)
}

/// Says something else in a comment; in a new one, where it cannot be edited any more.
pub(super) async fn edit(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    comment: &CommentId,
    body: &str,
) -> Result<CommentId, ForgeError> {
    match api.edit_comment(number, comment, body).await {
        Ok(()) => Ok(comment.clone()),
        // Somebody deleted it, or it is not ours.
        Err(error) if matches!(error.kind(), ForgeErrorKind::NotFound | ForgeErrorKind::Forbidden { .. }) => {
            api.comment(number, body).await
        }
        Err(error) => Err(error),
    }
}

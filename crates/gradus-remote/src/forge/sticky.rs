//! One comment for each purpose, which is edited in place of writing another.

use gradus_core::names::ProposalNumber;

use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{Comment, CommentId};
use super::talk::MARK;
use super::text::plain;

/// By this the comments are found that are kept for others.
const KEPT: &str = "<!-- gradus: comment ";

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
    // What others put into it must not be read as gradus's own word.
    let text = text.replace(MARK, "&lt;!-- gradus: ");
    keep(api, number, &text, &format!("{KEPT}{key} -->")).await
}

/// The same, of the comment that ends in this line.
pub(super) async fn keep(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    text: &str,
    mark: &str,
) -> Result<Kept, ForgeError> {
    let body = format!("{text}\n\n{mark}");
    match find(api, number, |last| last == mark).await? {
        // Forges trim what they keep, and some keep other line ends.
        Some(known) if plain(&known.body) == plain(&body) => Ok(Kept::AsItWas),
        Some(known) => {
            let id = edit(api, number, &known.id, &body).await?;
            Ok(if id == known.id { Kept::Edited } else { Kept::Written })
        }
        None => api.comment(number, &body).await.map(|_| Kept::Written),
    }
}

/// Whether a comment was kept for somebody's own automation. It says nothing for gradus.
pub(super) fn is_kept_for_others(body: &str) -> bool {
    body.trim_end().lines().last().is_some_and(|last| last.starts_with(KEPT))
}

/// The first comment of ours whose last line is meant. Whoever quotes such a line, quotes it with something before or
/// after; whoever copies all of it is somebody else.
pub(super) async fn find(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    is_meant: impl Fn(&str) -> bool + Send,
) -> Result<Option<Comment>, ForgeError> {
    let meant = |comment: &Comment| comment.body.trim_end().lines().last().is_some_and(&is_meant);
    let mut found = api.comments(number).await?;
    found.retain(meant);
    if found.is_empty() {
        return Ok(None);
    }
    // An app is no account, and its comments are by nobody who is known.
    if let Some(ours) = api.whoami().await?.account {
        found.retain(|comment| comment.by.0.eq_ignore_ascii_case(&ours.0));
    }
    Ok(found.into_iter().next())
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

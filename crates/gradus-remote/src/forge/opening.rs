//! Opening a proposal once, whoever else does.

use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{NewPull, Pull};

/// Opens a proposal, or finds the open one of the same two branches, whatever it says: the one that somebody else
/// opened, or that was opened without an answer.
pub async fn open_once(api: &dyn ForgeApi, new: &NewPull) -> Result<Pull, ForgeError> {
    open_or_find(api, new).await.map(|(pull, _)| pull)
}

/// The same, and whether it was opened by this very call.
pub(super) async fn open_or_find(api: &dyn ForgeApi, new: &NewPull) -> Result<(Pull, bool), ForgeError> {
    if !api.refuses_duplicates()
        && let Some(pull) = api.find_open(&new.head, &new.base).await?
    {
        return Ok((pull, false));
    }
    match api.create(new).await {
        Ok(made) => {
            // Forges look for another one before they open one, and two at once may both find none.
            let first = api.find_open(&new.head, &new.base).await?;
            let Some(first) = first.filter(|first| first.number < made.number) else {
                return Ok((made, true));
            };
            api.close(made.number).await?;
            Ok((first, false))
        }
        Err(error)
            if matches!(error.kind(), ForgeErrorKind::AlreadyExists | ForgeErrorKind::OutcomeUnknown) =>
        {
            Ok((api.find_open(&new.head, &new.base).await?.ok_or(error)?, false))
        }
        Err(error) => Err(error),
    }
}

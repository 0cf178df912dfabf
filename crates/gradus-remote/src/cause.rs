//! Causes as text.

use std::error::Error;

/// The causes of an error in one line. A port's error says itself what was being done, and must not say it twice.
pub(crate) fn causes(error: &dyn Error) -> Option<Box<dyn Error + Send + Sync>> {
    let first = error.source()?;
    let mut text = first.to_string();
    let mut next = first.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    Some(text.into())
}

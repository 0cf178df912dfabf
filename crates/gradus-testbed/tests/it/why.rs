//! An error with its causes, as one text.

use std::error::Error;

pub(crate) fn why(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", why(source)),
        None => error.to_string(),
    }
}

//! The answer to a report.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A report was recorded. Saying the same again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedAnswer {
    /// Always true.
    pub recorded: bool,
}

//! Which server this is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerVersion {
    /// The version of gradus.
    #[schema(example = "0.1.0")]
    pub version: String,
}

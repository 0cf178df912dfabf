//! What became of a webhook, for counting.

use axum::http::StatusCode;

use super::Understood;
use crate::api::ApiError;

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Wake,
    Nothing,
    Report,
    Unsigned,
    Unknown,
    Malformed,
    TooLarge,
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 8] = [
        Self::Wake,
        Self::Nothing,
        Self::Report,
        Self::Unsigned,
        Self::Unknown,
        Self::Malformed,
        Self::TooLarge,
        Self::Failed,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::Nothing => "nothing",
            Self::Report => "report",
            Self::Unsigned => "unsigned",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::Failed => "failed",
        }
    }
}

impl From<Understood> for Outcome {
    fn from(understood: Understood) -> Self {
        match understood {
            Understood::Wake => Self::Wake,
            Understood::Nothing => Self::Nothing,
            Understood::Healthy | Understood::Deploying | Understood::Failed | Understood::RolledBack => {
                Self::Report
            }
        }
    }
}

impl From<&ApiError> for Outcome {
    fn from(error: &ApiError) -> Self {
        match error.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Unsigned,
            StatusCode::NOT_FOUND => Self::Unknown,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            status if status.is_client_error() => Self::Malformed,
            _server_error => Self::Failed,
        }
    }
}

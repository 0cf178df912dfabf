//! Notifications, as they are read.

use gradus_core::names::PipelineName;
use gradus_core::notification::Notification;

use crate::error::Place;

/// A notification, and where it is written.
#[derive(Debug, Clone)]
pub struct NotificationManifest {
    /// What it is.
    pub notification: Notification,
    /// The place of its name.
    pub place: Place,
    /// The pipelines it names, each with its place.
    pub(crate) pipelines: Vec<(PipelineName, Place)>,
}

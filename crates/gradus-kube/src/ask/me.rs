//! Who a cluster takes the asker for.

use gradus_core::names::{Group, Person};
use serde::Deserialize;
use serde_json::json;

use super::Cluster;
use super::error::{AskError, AskErrorKind};

/// Who a cluster takes the asker for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The name.
    pub name: Person,
    /// The groups.
    pub groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    status: ReviewStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewStatus {
    user_info: UserInfo,
}

#[derive(Deserialize)]
struct UserInfo {
    username: String,
    #[serde(default)]
    groups: Vec<String>,
}

impl Cluster {
    /// Who the asker is to this cluster.
    pub async fn me(&self) -> Result<Me, AskError> {
        const DOING: &str = "asking the cluster who you are";
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let review: Review =
            self.post(DOING, "/apis/authentication.k8s.io/v1/selfsubjectreviews", &review, false).await?;
        let UserInfo { username, groups } = review.status.user_info;
        let name = Person::parse(&username)
            .map_err(|error| AskError::new(AskErrorKind::Refused, format!("{DOING}: {error}")))?;
        // A group that cannot be a group's name cannot be asked for either.
        let groups = groups.iter().filter_map(|group| Group::parse(group).ok()).collect();
        Ok(Me { name, groups })
    }
}

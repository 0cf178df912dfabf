//! `gates` and `verify` of an environment.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Empty, OneOrMany};

/// A rule to pass.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Gate {
    /// People say yes to this very release.
    Approval(Approval),
    /// The release has been healthy for this long in each environment before.
    Soak(Duration),
    /// The time of the week, or the date, is right.
    Window(Window),
    /// Nothing goes in a span of time.
    Freeze(Freeze),
    /// Somebody outside reported that the release is good.
    Check(Check),
    /// A person asks for each promotion by name.
    Manual(Empty),
}

/// People say yes to this very release.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// How many people; 1 when absent.
    #[schemars(range(min = 1))]
    pub min: Option<u32>,
    /// Who may. Anyone who may approve at all, when there are no users and no groups.
    #[serde(default)]
    pub users: Vec<String>,
    /// Members of which groups may.
    #[serde(default)]
    pub groups: Vec<String>,
    /// With `true`, those who brought the release, or asked for it, may not.
    #[serde(default)]
    pub not_author: bool,
}

/// When promotions may go: inside what is allowed and outside what is denied.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// When they may, such as `Mon-Thu 08:00-16:00`; always when absent.
    pub allow: Option<OneOrMany>,
    /// When they may not, such as `Fri 16:00-Mon 08:00` or `2026-12-20..2027-01-06`.
    pub deny: Option<OneOrMany>,
    /// The zone on whose clocks the spans are read, such as `Europe/Berlin`; `UTC` when absent.
    pub time_zone: Option<String>,
}

/// Nothing goes from one time to another.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Freeze {
    /// When it begins, such as `2026-12-20T00:00:00Z` or `2026-12-20[Europe/Berlin]`;
    /// it is on from the start when absent.
    pub from: Option<String>,
    /// When it ends; a date alone is the end of that day. Never by itself when absent.
    pub until: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Somebody outside reported that the release is good.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// Which check.
    pub name: String,
    /// The only one whose report counts.
    pub reporter: String,
}

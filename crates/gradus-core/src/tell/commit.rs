//! The commit that makes a change: its title, its text and its trailers.

use crate::names::PipelineKey;
use crate::observation::RequestKind;
use crate::plan::{Cause, Change, Merges};

/// A trailer that gradus writes into its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailer {
    /// The pipeline, as `namespace/name`.
    Pipeline,
    /// The environment.
    Environment,
    /// What it gets.
    Version,
    /// The hash that names the promotion.
    Promotion,
    /// One for each person who approved.
    ApprovedBy,
    /// One for each person who brought the release on its way.
    BroughtBy,
    /// The person who asked for it by name.
    AskedBy,
    /// Why a person skipped a rule.
    Override,
}

impl Trailer {
    /// The trailer's key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Pipeline => "Gradus-Pipeline",
            Self::Environment => "Gradus-Environment",
            Self::Version => "Gradus-Version",
            Self::Promotion => "Gradus-Promotion",
            Self::ApprovedBy => "Gradus-Approved-By",
            Self::BroughtBy => "Gradus-Brought-By",
            Self::AskedBy => "Gradus-Asked-By",
            Self::Override => "Gradus-Override",
        }
    }
}

/// The one line that says what a change does.
pub fn promotion_title(pipeline: &PipelineKey, change: &Change) -> String {
    let verb = match change.request().map(|request| request.kind) {
        Some(RequestKind::Rollback) => "Roll back",
        Some(RequestKind::Promote | RequestKind::Override | RequestKind::Emergency) | None => "Promote",
    };
    let (name, environment) = (&pipeline.name, &change.environment);
    let prep = if verb == "Promote" { "to" } else { "in" };
    match &change.from {
        Some(from) => format!("{verb} {name} {prep} {environment}: {from} → {}", change.to),
        None => format!("{verb} {name} {prep} {environment}: {}", change.to),
    }
}

/// The whole message of the commit that makes a change.
pub fn commit_message(pipeline: &PipelineKey, change: &Change, promotion: &str) -> String {
    let mut words = promotion_title(pipeline, change);
    words.push_str("\n\n");
    words.push_str(&because(change));
    commit_message_saying(&words, pipeline, change, promotion)
}

/// The same, with other words above the trailers.
pub fn commit_message_saying(
    words: &str,
    pipeline: &PipelineKey,
    change: &Change,
    promotion: &str,
) -> String {
    let mut text = words.trim().to_owned();
    text.push_str("\n\n");
    let mut line = |trailer: Trailer, value: &str| {
        text.push_str(&format!("{}: {}\n", trailer.key(), one_line(value)));
    };
    line(Trailer::Pipeline, &pipeline.to_string());
    line(Trailer::Environment, change.environment.as_str());
    line(Trailer::Version, &change.to.to_string());
    line(Trailer::Promotion, promotion);
    for person in &change.approved_by {
        line(Trailer::ApprovedBy, person.as_str());
    }
    for person in &change.brought_by {
        line(Trailer::BroughtBy, person.as_str());
    }
    if let Some(request) = change.request() {
        line(Trailer::AskedBy, request.by.as_str());
        if matches!(request.kind, RequestKind::Override | RequestKind::Emergency) {
            line(Trailer::Override, request.reason.as_deref().unwrap_or("no reason given"));
        }
    }
    text
}

/// The values of one trailer in a message's last paragraph.
pub fn trailers_of(message: &str, trailer: Trailer) -> impl Iterator<Item = &str> {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    last.lines().filter_map(move |line| {
        let (key, value) = line.split_once(':')?;
        (key == trailer.key()).then(|| value.trim())
    })
}

/// By whose word, or by which rule, a change is made, in words.
pub fn because(change: &Change) -> String {
    let mut text = match &change.cause {
        Cause::ProvenIn(environments) => {
            let names: Vec<&str> = environments.iter().map(|name| name.as_str()).collect();
            format!("It is proven in {}.", names.join(" and "))
        }
        Cause::Asked(request) => {
            let how = match request.kind {
                RequestKind::Promote => "asked for it",
                RequestKind::Override => "asked for it, past what is proven",
                RequestKind::Rollback => "asked to go back to it",
                RequestKind::Emergency => "asked for it as an emergency, past the gates",
            };
            let why = request.reason.as_ref().map_or_else(String::new, |why| format!(": {}", one_line(why)));
            format!("{} {how}{why}.", request.by)
        }
    };
    if let Some(Merges { environment, commit }) = &change.merges {
        text.push_str(&format!("\nIt merges {} of {environment}.", commit.short()));
    }
    if change.replaces_hand_edit {
        text.push_str("\nIt replaces a version that was set by hand.");
    }
    text
}

/// People's words in a trailer stay on their line.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

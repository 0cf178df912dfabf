//! The shape of what `gradus plan` says: the steps of the API, with the lines
//! that each would change.

use gradus_engine::places::FileEdit;
use gradus_server::api::v1;
use serde::Serialize;

/// Reasons for which a plan is no answer: something could not be looked at.
const BLIND: [&str; 5] =
    ["declared-unknown", "proposal-unknown", "requests-unknown", "approvals-unknown", "checks-unknown"];

/// The plans of several pipelines.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PlanList {
    /// One each.
    pub(crate) items: Vec<PipelinePlan>,
}

/// What is to be done in one pipeline.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PipelinePlan {
    /// The namespace it lives in.
    pub(crate) namespace: String,
    /// What it is called there.
    pub(crate) name: String,
    /// Whether it may write.
    pub(crate) mode: v1::Mode,
    /// The branch that is deployed, and where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<Base>,
    /// What would be done.
    pub(crate) steps: Vec<PlannedStep>,
    /// What waits, and why.
    pub(crate) waiting: Vec<Waiting>,
    /// What could not be looked at.
    pub(crate) problems: Vec<String>,
}

/// A branch and where it was.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Base {
    /// Its name.
    pub(crate) branch: String,
    /// The commit.
    pub(crate) commit: String,
}

/// A step, and what it would change.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedStep {
    /// The step.
    #[serde(flatten)]
    pub(crate) step: v1::Step,
    /// The environments that the release comes from.
    pub(crate) after: Vec<String>,
    /// The branch that is written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// The lines that change.
    pub(crate) changes: Vec<LineChange>,
}

/// A line that changes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineChange {
    /// The file.
    pub(crate) file: String,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// As it is.
    pub(crate) before: String,
    /// As it would be.
    pub(crate) after: String,
}

/// An environment in which nothing is to be done now, and why.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Waiting {
    /// Which.
    pub(crate) environment: String,
    /// Why, in one line.
    pub(crate) words: String,
    /// The code of the reason.
    pub(crate) reason: String,
}

impl PipelinePlan {
    /// The plan that a report tells, without the lines that would change.
    pub(crate) fn told(pipeline: v1::Pipeline) -> Self {
        let mut plan = Self {
            namespace: pipeline.namespace,
            name: pipeline.name,
            mode: pipeline.mode,
            base: None,
            steps: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
        };
        for environment in pipeline.environments {
            let blind = environment.reasons.iter().find(|reason| BLIND.contains(&reason.code.as_str()));
            // Of what an environment declares, only its own report tells; the ones after it repeat it.
            let unread = environment.declared_unknown.as_ref();
            if let Some(step) = environment.step {
                let after = environment.after;
                plan.steps.push(PlannedStep { step, after, branch: None, changes: Vec::new() });
            } else if let Some(why) = unread {
                plan.problem(&environment.name, why);
            } else if let Some(reason) = blind.filter(|reason| reason.code != "declared-unknown") {
                plan.problem(&environment.name, &reason.sentence);
            } else if let Some(reason) = environment.reasons.first()
                && environment.next.is_some()
            {
                plan.waits(environment.name, environment.words, &reason.code);
            } else if let Some(reason) = environment.reasons.first()
                && !environment.after.is_empty()
                && !environment.words.is_empty()
            {
                plan.waits(environment.name, environment.words, &reason.code);
            }
        }
        plan
    }

    /// Adds the lines that the step of an environment would change.
    pub(crate) fn changes(&mut self, environment: &str, branch: Option<String>, edits: &[FileEdit]) {
        let lines = edits.iter().flat_map(|edit| {
            edit.lines.iter().map(|line| LineChange {
                file: edit.path.to_string(),
                line: line.number,
                before: line.before.clone(),
                after: line.after.clone(),
            })
        });
        if let Some(step) = self.steps.iter_mut().find(|step| step.step.environment == environment) {
            step.branch = branch;
            step.changes = lines.collect();
        }
    }

    /// Something could not be looked at. What is true of every environment is said once.
    pub(crate) fn problem(&mut self, environment: &str, why: &str) {
        let known = self.problems.iter().any(|problem| problem.ends_with(why));
        if !known {
            self.problems.push(format!("{environment}: {why}"));
        }
    }

    fn waits(&mut self, environment: String, words: String, reason: &str) {
        self.waiting.push(Waiting { environment, words, reason: reason.to_owned() });
    }
}

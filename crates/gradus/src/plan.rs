//! The shape of what `gradus plan` says: the steps of the API, with the lines
//! that each would change.

use gradus_engine::places::FileEdit;
use gradus_server::api::v1;
use serde::Serialize;

/// Reasons for which a plan is no answer: something could not be looked at.
const BLIND: [&str; 5] =
    [UNREAD, "proposal-unknown", "requests-unknown", "approvals-unknown", "checks-unknown"];

/// The reason that it is not known what Git declares.
const UNREAD: &str = "declared-unknown";

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
    /// The repository that declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repository: Option<String>,
    /// The branch that is deployed, and where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<Base>,
    /// What would be done.
    pub(crate) steps: Vec<PlannedStep>,
    /// What waits, and why.
    pub(crate) waiting: Vec<Waiting>,
    /// What could not be looked at.
    pub(crate) problems: Vec<Problem>,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    /// Of which environments; of all where there are none.
    pub(crate) environments: Vec<String>,
    /// Why not.
    pub(crate) why: String,
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
    /// The environment's own branch, where it has one, and where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<Base>,
    /// What is merged to bring it, where that is how it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merges: Option<MergedCommit>,
    /// The lines that change.
    pub(crate) changes: Vec<LineChange>,
}

/// A commit that is merged.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MergedCommit {
    /// Of which environment.
    pub(crate) environment: String,
    /// Its id.
    pub(crate) commit: String,
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
            repository: None,
            base: None,
            steps: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
        };
        let count = pipeline.environments.len();
        for environment in pipeline.environments {
            let blind = environment.reasons.iter().find(|reason| BLIND.contains(&reason.code.as_str()));
            if let Some(step) = environment.step {
                let after = environment.after;
                plan.steps.push(PlannedStep {
                    step,
                    after,
                    branch: None,
                    base: None,
                    merges: None,
                    changes: Vec::new(),
                });
            } else if let Some(why) = environment.declared_unknown {
                plan.problem(environment.name, why);
            } else if let Some(reason) = blind.filter(|reason| reason.code != UNREAD) {
                // What an environment before declares is that one's problem.
                plan.problem(environment.name, reason.sentence.clone());
            } else if let Some(reason) = environment.reasons.first()
                && (environment.next.is_some() || !environment.after.is_empty())
                && !environment.words.is_empty()
                && plan.mode != v1::Mode::Suspended
            {
                let (reason, words) = (reason.code.clone(), environment.words);
                plan.waiting.push(Waiting { environment: environment.name, words, reason });
            }
        }
        for problem in &mut plan.problems {
            if problem.environments.len() == count {
                problem.environments.clear();
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

    /// Adds the environment's own branch, and what is merged into it.
    pub(crate) fn on(&mut self, environment: &str, base: Option<Base>, merges: Option<MergedCommit>) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.step.environment == environment) {
            step.base = base;
            step.merges = merges;
        }
    }

    /// Something could not be looked at.
    pub(crate) fn problem(&mut self, environment: String, why: String) {
        match self.problems.iter_mut().find(|problem| problem.why == why) {
            Some(known) => known.environments.push(environment),
            None => self.problems.push(Problem { environments: vec![environment], why }),
        }
    }
}

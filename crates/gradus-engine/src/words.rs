//! What is said of a change, by the templates of its environment, else in gradus's own words.

use std::sync::Arc;

use gradus_core::names::BranchName;
use gradus_core::pipeline::{Pipeline, PullRequestPolicy};
use gradus_core::plan::Change;
use gradus_core::report::Report;
use gradus_core::tell::{Clock, commit_message, commit_message_saying, proposal_body, proposal_title};
use gradus_template::{Facts, Made, Part, TemplateError, render};

use crate::port::forge::{Extras, MergeWay};

/// A change, and where it is made.
pub(crate) struct Words<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) change: &'a Change,
    pub(crate) base: &'a BranchName,
}

impl Words<'_> {
    /// The whole message of the commit.
    pub(crate) fn message(&self, promotion: &str) -> Result<String, TemplateError> {
        let key = &self.pipeline.key;
        match &self.policy().message {
            None => Ok(commit_message(key, self.change, promotion)),
            Some(template) => {
                let words = self.render(Part::Message, template, "")?;
                Ok(commit_message_saying(&words, key, self.change, promotion))
            }
        }
    }

    /// The title and the text of the proposal.
    pub(crate) fn proposal(
        &self,
        report: &Report,
        promotion: &str,
        clock: &Clock,
    ) -> Result<(String, String), TemplateError> {
        let title = match &self.policy().title {
            None => proposal_title(report, self.change),
            Some(template) => self.render(Part::Title, template, "")?,
        };
        let own = proposal_body(report, self.change, promotion, clock);
        let body = match &self.policy().body {
            None => own,
            Some(template) => self.render(Part::Body, template, &own)?,
        };
        Ok((title, body))
    }

    /// What else people want of the proposal.
    pub(crate) fn extras(&self) -> Result<Extras, TemplateError> {
        let policy = self.policy();
        let mut extras = Extras {
            labels: Vec::new(),
            reviewers: policy.reviewers.clone(),
            assignees: policy.assignees.clone(),
            draft: policy.draft,
            milestone: None,
        };
        for template in &policy.labels {
            let label: Arc<str> = self.render(Part::Label, template, "")?.into();
            if !label.is_empty() && !extras.labels.contains(&label) {
                extras.labels.push(label);
            }
        }
        if let Some(template) = &policy.milestone {
            let milestone = self.render(Part::Milestone, template, "")?;
            extras.milestone = (!milestone.is_empty()).then(|| milestone.into());
        }
        Ok(extras)
    }

    /// How the proposal is to be merged.
    pub(crate) fn way(&self) -> MergeWay {
        let policy = self.policy();
        MergeWay { method: policy.method, queue: policy.queue }
    }

    fn policy(&self) -> &PullRequestPolicy {
        let here = self.pipeline.environment(&self.change.environment);
        here.map_or(PullRequestPolicy::PLAIN, |here| here.pull_request())
    }

    fn render(&self, part: Part, template: &str, report: &str) -> Result<String, TemplateError> {
        let here = self.pipeline.environment(&self.change.environment);
        let branch = here.and_then(|here| here.proposal_branch(&self.pipeline.key));
        let made = Made {
            change: self.change,
            repository: &self.pipeline.repository.url,
            base: self.base,
            branch: branch.as_ref(),
            report,
        };
        let (pipeline, environment) = (&self.pipeline.key, &self.change.environment);
        render(part, template, &Facts { pipeline, environment, change: Some(made) })
    }
}

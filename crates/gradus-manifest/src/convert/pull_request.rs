//! How proposals are named, said and merged: what an environment says before what its pipeline says.

use std::sync::Arc;

use gradus_core::names::{ArtifactName, BranchName, EnvironmentName, PipelineKey};
use gradus_core::pipeline::{Commands, MergeMethod, PullRequestPolicy, Reviewer};
use gradus_template::{Facts, Part, Sample, TemplateError};

use super::Reader;
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// Whose proposals they are.
pub(super) struct Of<'a> {
    /// The pipeline, where its name is right.
    pub(super) key: Option<&'a PipelineKey>,
    /// What moves in it.
    pub(super) artifacts: &'a [ArtifactName],
    /// What the pipeline says for all.
    pub(super) shared: Option<&'a wire::PullRequest>,
    /// Where they are.
    pub(super) forge: Option<wire::Forge>,
}

/// What is said in either place, and where. What an environment says comes first.
struct Said<'a> {
    own: (Path<'a>, Option<&'a wire::PullRequest>),
    shared: (Path<'a>, Option<&'a wire::PullRequest>),
}

impl<'a> Said<'a> {
    /// One field, and the block that it is in.
    fn of<T>(&'a self, field: impl Fn(&'a wire::PullRequest) -> Option<T>) -> Option<(&'a Path<'a>, T)> {
        [&self.own, &self.shared].into_iter().find_map(|(path, said)| Some((path, field((*said)?)?)))
    }

    fn flag(&'a self, field: impl Fn(&'a wire::PullRequest) -> Option<bool>) -> bool {
        self.of(field).is_some_and(|(_, flag)| flag)
    }
}

/// Reads what is said of the proposals of one environment; nothing where nobody says anything.
pub(super) fn policy(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    said: Option<&wire::PullRequest>,
    of: &Of<'_>,
    environment: &EnvironmentName,
) -> Option<Option<Box<PullRequestPolicy>>> {
    // A name that is wrong has been told of.
    let Some(pipeline) = of.key.filter(|_| said.is_some() || of.shared.is_some()) else { return Some(None) };
    let spec = Path::ROOT.field("spec");
    let said = Said { own: (*path, said), shared: (spec.field("pullRequest"), of.shared) };
    let sample = Sample { pipeline, environment, artifacts: of.artifacts };
    let branch = branch(reader, &said, &sample);
    let title = template(reader, Part::Title, said.of(|said| said.title.as_deref()), &sample);
    let body = template(reader, Part::Body, said.of(|said| said.body.as_deref()), &sample);
    let message = template(reader, Part::Message, said.of(|said| said.message.as_deref()), &sample);
    let milestone = template(reader, Part::Milestone, said.of(|said| said.milestone.as_deref()), &sample);
    let labels = each(reader, said.of(|said| said.labels.as_deref()), "labels", |text| {
        checked(Part::Label, text, &sample).map(|()| Arc::from(text))
    });
    let reviewers = each(reader, said.of(|said| said.reviewers.as_deref()), "reviewers", reviewer);
    let assignees =
        each(reader, said.of(|said| said.assignees.as_deref()), "assignees", |text| match reviewer(text)? {
            Reviewer::Person(name) => Ok(name),
            Reviewer::Team { .. } => {
                Err(Trouble::value(format!("{text:?} is a team, and no team is responsible"))
                    .help("name people, or ask the team for a review in `reviewers`"))
            }
        });
    Some(Some(Box::new(PullRequestPolicy {
        method: said.of(|said| said.method).map(|(_, method)| method_of(method)),
        queue: said.flag(|said| said.queue),
        branch: branch?,
        title: title?,
        body: body?,
        message: message?,
        labels: labels?,
        reviewers: reviewers?,
        assignees: assignees?,
        draft: said.flag(|said| said.draft),
        milestone: milestone?,
        comment: said.flag(|said| said.comment),
        statuses: said.flag(|said| said.statuses),
        deployments: said.flag(|said| said.deployments),
        reviews: said.flag(|said| said.reviews),
        commands: said.of(|said| said.commands).map_or(Commands::Off, |(_, commands)| match commands {
            wire::Commands::None => Commands::Off,
            wire::Commands::Members => Commands::Members,
        }),
    })))
}

fn method_of(method: wire::MergeMethod) -> MergeMethod {
    match method {
        wire::MergeMethod::Merge => MergeMethod::Merge,
        wire::MergeMethod::Squash => MergeMethod::Squash,
        wire::MergeMethod::Rebase => MergeMethod::Rebase,
        wire::MergeMethod::FastForward => MergeMethod::FastForward,
    }
}

/// The branch has to be the same at all times, so that it is named once and for all.
fn branch(reader: &mut Reader<'_, '_>, said: &Said<'_>, sample: &Sample<'_>) -> Option<Option<BranchName>> {
    let Some((path, text)) = said.of(|said| said.branch.as_deref()) else { return Some(None) };
    let facts = Facts { pipeline: sample.pipeline, environment: sample.environment, change: None };
    let named = gradus_template::render(Part::Branch, text, &facts)
        .map_err(Trouble::from)
        .and_then(|name| BranchName::parse(&name).map_err(|error| Trouble::value(error.to_string())));
    reader.take_once(&path.field("branch"), named).map(Some)
}

/// One template; nothing where there is none.
fn template(
    reader: &mut Reader<'_, '_>,
    part: Part,
    said: Option<(&Path<'_>, &str)>,
    sample: &Sample<'_>,
) -> Option<Option<Arc<str>>> {
    let Some((path, text)) = said else { return Some(None) };
    let checked = checked(part, text, sample).map(|()| Arc::from(text));
    reader.take_once(&path.field(part.word()), checked).map(Some)
}

fn checked(part: Part, text: &str, sample: &Sample<'_>) -> Result<(), Trouble> {
    gradus_template::check(part, text, sample).map_err(Trouble::from)
}

fn each<T>(
    reader: &mut Reader<'_, '_>,
    said: Option<(&Path<'_>, &[String])>,
    field: &str,
    read: impl Fn(&str) -> Result<T, Trouble>,
) -> Option<Vec<T>> {
    let Some((path, texts)) = said else { return Some(Vec::new()) };
    reader.each(&path.field(field), texts, |reader, path, text| reader.take_once(path, read(text)))
}

fn reviewer(text: &str) -> Result<Reviewer, Trouble> {
    Reviewer::parse(text).ok_or_else(|| {
        Trouble::value(format!("{text:?} is no name of an account or of a team"))
            .help("write a name such as `ada`, or a team as `organisation/team`")
    })
}

impl From<TemplateError> for Trouble {
    fn from(error: TemplateError) -> Self {
        Self::value(error.to_string()).maybe_help(error.hint)
    }
}

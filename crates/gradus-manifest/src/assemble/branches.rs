//! Two pipelines that propose on one branch would take it from each other without end.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::{Environment, Strategy};

use super::Loaded;
use crate::error::{ManifestError, ManifestErrorKind, Place, Trouble};

/// The branches of one repository that are taken, and by whom.
#[derive(Default)]
struct Taken<'a>(BTreeMap<String, (&'a PipelineKey, &'a Place)>);

/// The pipelines that propose on the branch of one that comes before them, and what to tell of it. Git keeps no branch
/// below another one either.
pub(super) fn taken(pipelines: &BTreeMap<PipelineKey, Loaded>) -> Vec<(PipelineKey, ManifestError)> {
    let mut repositories: BTreeMap<Arc<str>, Taken<'_>> = BTreeMap::new();
    let mut errors = Vec::new();
    // By themselves they never collide.
    let has_its_own = |environment: &Environment| environment.pull_request().branch.is_some();
    if !pipelines.values().any(|loaded| loaded.pipeline.environments().iter().any(has_its_own)) {
        return errors;
    }
    for (key, Loaded { pipeline, place }) in pipelines {
        let taken = repositories.entry(pipeline.repository.url.clone()).or_default();
        let proposed = |environment: &&Environment| environment.strategy == Strategy::PullRequest;
        for environment in pipeline.environments().iter().filter(proposed) {
            let Some(branch) = environment.proposal_branch(key) else { continue };
            match taken.by_another(branch.as_str(), key) {
                Some((other, owner, first)) => {
                    let name = &environment.name;
                    let message = format!(
                        "{key} proposes for {name} on the branch {branch}, and pipeline {owner} on {other} ({first})"
                    );
                    let help = if other == branch.as_str() {
                        "put `{{ pipeline.name }}` into the template of the branch"
                    } else {
                        "Git keeps no branch below another one: call one of them something else"
                    };
                    let help = help.to_owned();
                    let trouble = Trouble::new(ManifestErrorKind::Conflict, message).maybe_help(Some(help));
                    let field = "promote.pullRequest.branch".to_owned();
                    errors.push((key.clone(), trouble.at(place.clone(), field)));
                }
                None => {
                    taken.0.insert(branch.as_str().to_owned(), (key, place));
                }
            }
        }
    }
    errors
}

impl<'a> Taken<'a> {
    /// A branch of another pipeline that Git does not keep beside this one.
    fn by_another(&self, branch: &str, key: &PipelineKey) -> Option<(&str, &'a PipelineKey, &'a Place)> {
        let above = branch.match_indices('/').map(|(at, _)| &branch[..at]);
        let exact = above.chain([branch]).filter_map(|name| self.0.get_key_value(name));
        let begins = format!("{branch}/");
        let below = self.0.range(begins.clone()..).take_while(|(name, _)| name.starts_with(&begins));
        let mut others = exact.chain(below).filter(|(_, (owner, _))| *owner != key);
        others.next().map(|(name, (owner, place))| (name.as_str(), *owner, *place))
    }
}

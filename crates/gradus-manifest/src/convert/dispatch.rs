//! How somebody else's automation is asked for a promotion, and whether it can be asked at all.

use gradus_core::names::{BranchName, EventType};
use gradus_core::pipeline::DispatchPolicy;

use super::{Reader, time};
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// Reads how it is asked, where `strategy` says that it is.
pub(super) fn policy(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    promote: &wire::Promote,
    forge: Option<wire::Forge>,
) -> Option<Box<DispatchPolicy>> {
    let there = reachable(reader, path, forge);
    if promote.merge.is_some() {
        let trouble = Trouble::value("with `strategy: dispatch` there is nothing to merge for gradus")
            .help("leave `merge` out: whoever is asked says who merges");
        reader.fail(&path.field("merge"), trouble);
        return None;
    }
    let Some(said) = &promote.dispatch else { return there.map(|()| Box::default()) };
    let path = path.field("dispatch");
    let event = reader.take_some(&path.field("event"), said.event.as_deref().map(EventType::parse));
    let on = reader.take_some(&path.field("ref"), said.reference.as_deref().map(BranchName::parse));
    let within = said.within.as_ref().map(|text| time::some_time(&text.0));
    let within = reader.take_some(&path.field("within"), within);
    if said.reference.is_some() && forge == Some(wire::Forge::Github) {
        let trouble = Trouble::value("GitHub runs on its default branch what listens to an event")
            .help("leave `ref` out; the branch of the change is in the event");
        reader.fail(&path.field("ref"), trouble);
        return None;
    }
    there?;
    let plain = DispatchPolicy::default();
    Some(Box::new(DispatchPolicy {
        event: event?.unwrap_or(plain.event),
        on: on?,
        within: within?.unwrap_or(plain.within),
    }))
}

/// Refuses what says how automation is asked where nobody asks it.
pub(super) fn unused(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    promote: Option<&wire::Promote>,
) -> Option<()> {
    if promote.is_none_or(|promote| promote.dispatch.is_none()) {
        return Some(());
    }
    let trouble = Trouble::value("`dispatch` says how automation is asked, and `strategy` is not `dispatch`")
        .help("write `strategy: dispatch`, or leave `dispatch` out");
    reader.fail(&path.field("dispatch"), trouble);
    None
}

/// Whether the forge has automation that can be asked.
fn reachable(reader: &mut Reader<'_, '_>, path: &Path<'_>, forge: Option<wire::Forge>) -> Option<()> {
    let lacks = match forge {
        Some(wire::Forge::Github | wire::Forge::Gitlab) => return Some(()),
        None | Some(wire::Forge::Local) => "a repository without a forge has no automation that can be asked",
        Some(wire::Forge::Gitea | wire::Forge::Forgejo) => {
            "Gitea and Forgejo cannot be asked for a run by an event of one's own"
        }
        Some(wire::Forge::Bitbucket | wire::Forge::BitbucketServer) => {
            "Bitbucket cannot be asked for a run by an event of one's own"
        }
        Some(wire::Forge::AzureDevops) => "Azure DevOps cannot be asked for a run by an event of one's own",
    };
    let trouble = Trouble::value(lacks).help(
        "set `forge: github` or `forge: gitlab`, or write `strategy: pull-request` or `strategy: push`",
    );
    reader.fail(&path.field("strategy"), trouble);
    None
}

//! The pods of a workload, and the images that they really run.

use std::collections::BTreeSet;

use super::Kind;
use crate::image::Image;
use crate::judge::Look;
use crate::notes::Says;
use crate::read::Doc;
use crate::sighting::Listing;
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::tidy;

/// Whether the pods of a workload that is rolled out run what they should; if
/// not, the state that follows. `told` is the digest in the workload's template.
pub(super) fn agree(
    object: Doc<'_>,
    name: &ObjectRef,
    container: Option<&str>,
    version: &str,
    told: Option<&str>,
    look: &mut Look<'_>,
) -> Result<(), State> {
    let Some(kind) = Kind::Pod.group_kind() else { return Ok(()) };
    let pods = match look.list(kind, &name.namespace) {
        Listing::Seen(pods) => pods,
        Listing::NotLooked(why) => {
            return Err(State::unknown(format!("its pods were not looked at: {}", tidy(&why))));
        }
    };
    let labels: Vec<(&str, &str)> = object
        .fields("spec/selector/matchLabels")
        .filter_map(|(key, value)| Some((key, value.as_text()?)))
        .collect();
    if labels.is_empty() {
        return Err(State::unknown("its pods cannot be told from others: its selector has no labels"));
    }
    let wanted = look.wanted.as_ref().filter(|_| look.is_top()).and_then(|wanted| wanted.digest.clone());
    let wanted = wanted.or_else(|| told.map(str::to_owned));
    let mut digests: BTreeSet<String> = BTreeSet::new();
    let mut count = 0_i64;
    for pod in &pods {
        let pod = Doc::new(pod);
        let ended = matches!(pod.text("status/phase"), Some("Succeeded" | "Failed"));
        if pod.is_deleting() || ended || !labels.iter().all(|(key, value)| pod.label(key) == Some(value)) {
            continue;
        }
        let pod_name = pod.text("metadata/name").unwrap_or("?");
        let status = pod
            .items("status/containerStatuses")
            .find(|status| container.is_none() || status.text("name") == container);
        let Some(status) = status.filter(|status| status.flag("ready")) else {
            let says = Says { words: format!("pod {} is not ready", tidy(pod_name)), ..Says::default() };
            look.note(name, says);
            return Err(State::Deploying { version: Some(version.to_owned()), since: None });
        };
        let digest = status.text("imageID").and_then(|id| Image::parse(id).digest);
        match digest {
            Some(digest) => {
                digests.insert(tidy(digest));
            }
            None if wanted.is_some() => {
                return Err(State::unknown(format!(
                    "pod {} does not tell the digest of its image",
                    tidy(pod_name)
                )));
            }
            None => {}
        }
        count += 1;
    }
    let need =
        object.int("spec/replicas").or_else(|| object.int("status/desiredNumberScheduled")).unwrap_or(1);
    if count < need {
        let words = format!("{count} of {need} pods were seen");
        look.note(name, Says { words, ..Says::default() });
        return Err(State::Deploying { version: Some(version.to_owned()), since: None });
    }
    let all: Vec<&str> = digests.iter().map(String::as_str).collect();
    let other = wanted.as_deref().is_some_and(|wanted| all.iter().any(|digest| *digest != wanted));
    let words = format!("{count} pods run it");
    let revision = all.join(", ");
    let good = Some(!other && digests.len() <= 1);
    look.note(name, Says { words, revision: Some(&*revision), since: None, good });
    if other {
        let why = format!("its pods run {revision}, not {}", tidy(wanted.as_deref().unwrap_or_default()));
        return Err(State::failed(Some(version.to_owned()), why, None));
    }
    if digests.len() > 1 {
        return Err(State::unknown(format!("its pods run different builds of one tag: {revision}")));
    }
    Ok(())
}

//! What in a repository will not do what people think it does.
//!
//! A mistake in a manifest of gradus is an error and told where it is read. The
//! rules here look at what stands beside the manifests, one rule a file, and
//! warn: the files that they see need not be all there are.

mod checkout;
mod edited_place;
mod floating_version;
mod image_policy_marker;
mod outside_kustomization;
mod outside_the_order;
mod promotion_marker;
mod shared_place;
mod sync_file;

use std::collections::{BTreeMap, BTreeSet};

use gradus_core::names::PipelineKey;
use gradus_manifest::{Loaded, ManifestError};

use checkout::Checkout;

/// What a rule found.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The rule's name.
    pub(crate) rule: &'static str,
    /// What, where, and what to do.
    pub(crate) what: ManifestError,
}

/// A rule: its name, and what it finds.
type Rule = (&'static str, fn(&Checkout<'_>) -> Vec<ManifestError>);

const RULES: [Rule; 8] = [
    edited_place::RULE,
    floating_version::RULE,
    image_policy_marker::RULE,
    outside_kustomization::RULE,
    outside_the_order::RULE,
    promotion_marker::RULE,
    shared_place::RULE,
    sync_file::RULE,
];

/// What all rules find in these files, in the order of the files.
pub(crate) fn check(
    texts: &BTreeMap<String, Vec<u8>>,
    pipelines: &BTreeMap<PipelineKey, Loaded>,
    withheld: &BTreeSet<PipelineKey>,
) -> Vec<Finding> {
    let mut checkout = Checkout::read(texts);
    checkout.name(pipelines, withheld);
    let found = |(rule, check): Rule| {
        let what = check(&checkout).into_iter();
        what.map(move |what| Finding { rule, what })
    };
    let mut findings: Vec<Finding> = RULES.into_iter().flat_map(found).collect();
    findings.sort_by(|a, b| a.what.place.cmp(&b.what.place));
    findings
}

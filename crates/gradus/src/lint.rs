//! What in a repository will not do what people think it does.
//!
//! A mistake in a manifest of gradus is an error and told where it is read. The
//! rules here look at what stands beside the manifests, one rule a file, and
//! warn: the files that they see need not be all there are.

mod checkout;
mod image_policy_marker;
mod outside_the_order;

use std::collections::BTreeMap;

use gradus_manifest::ManifestError;

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

const RULES: [Rule; 2] = [image_policy_marker::RULE, outside_the_order::RULE];

/// What all rules find in these files, in the order of the files.
pub(crate) fn check(texts: &BTreeMap<String, Vec<u8>>) -> Vec<Finding> {
    let checkout = Checkout::read(texts);
    let found = |(rule, check): Rule| {
        let what = check(&checkout).into_iter();
        what.map(move |what| Finding { rule, what })
    };
    let mut findings: Vec<Finding> = RULES.into_iter().flat_map(found).collect();
    findings.sort_by(|a, b| a.what.place.cmp(&b.what.place));
    findings
}

//! `approval`: people say yes to this very release.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::{Answer, Ask, Passed};
use crate::names::{Group, Person};
use crate::observation::{Approval, Seen};
use crate::reason::Reason;

/// People say yes to this very release. A yes to another release does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalGate {
    /// How many people.
    pub min: NonZeroU32,
    /// Who may; anyone who may approve at all when both lists are empty.
    pub users: Vec<Person>,
    /// Members of which groups may.
    pub groups: Vec<Group>,
    /// Whether those who brought the release, or asked for it, may not.
    pub not_author: bool,
}

impl ApprovalGate {
    /// Counts the people whose yes is for this release and counts.
    pub fn answer(&self, ask: &Ask<'_>) -> Answer {
        let approvals = match ask.approvals {
            Seen::Known(approvals) => approvals,
            Seen::Unknown(why) => {
                return Answer::Hold(Reason::ApprovalsUnknown {
                    environment: ask.environment.clone(),
                    why: why.clone(),
                });
            }
        };
        let excluded = match (self.not_author, ask.brought_by) {
            (false, _) => &[][..],
            (true, Seen::Known(people)) => people.as_slice(),
            (true, Seen::Unknown(why)) => {
                return Answer::Hold(Reason::AuthorUnknown {
                    environment: ask.environment.clone(),
                    why: why.clone(),
                });
            }
        };
        let excluded: BTreeSet<String> = excluded.iter().map(folded).collect();
        let people: Vec<Person> =
            voices(approvals.iter().filter(|approval| &approval.release == ask.release))
                .into_iter()
                .filter(|voice| voice.names.is_disjoint(&excluded))
                .filter_map(|voice| {
                    voice.said.into_iter().filter(|approval| self.may(approval)).map(|a| a.by.clone()).min()
                })
                .collect();
        let have = u32::try_from(people.len()).unwrap_or(u32::MAX);
        if have >= self.min.get() {
            return Answer::Pass(Passed::ApprovedBy(people));
        }
        Answer::Hold(Reason::WaitingForApproval {
            environment: ask.environment.clone(),
            release: ask.release.clone(),
            have,
            min: self.min.get(),
            by: self.who(),
            not_author: self.not_author,
        })
    }

    /// The gate in words.
    pub fn words(&self) -> String {
        let count = if self.min.get() == 1 { String::new() } else { format!(" of {}", self.min) };
        let not = if self.not_author { ", not the author" } else { "" };
        format!("approval{count} by {}{not}", self.who())
    }

    fn may(&self, approval: &Approval) -> bool {
        (self.users.is_empty() && self.groups.is_empty())
            || self.users.contains(&approval.by)
            || self.groups.iter().any(|group| approval.groups.contains(group))
    }

    fn who(&self) -> String {
        let names: Vec<&str> =
            self.groups.iter().map(Group::as_str).chain(self.users.iter().map(Person::as_str)).collect();
        if names.is_empty() { "an approver".to_owned() } else { names.join(" or ") }
    }
}

/// One person's approvals, by whatever names they go.
struct Voice<'a> {
    names: BTreeSet<String>,
    said: Vec<&'a Approval>,
}

/// The approvals by person. Two that share a name are one person's, so that
/// nobody counts twice.
fn voices<'a>(approvals: impl Iterator<Item = &'a Approval>) -> Vec<Voice<'a>> {
    let mut voices: Vec<Voice<'a>> = Vec::new();
    for approval in approvals {
        let names = std::iter::once(&approval.by).chain(&approval.aliases).map(folded).collect();
        let mut voice = Voice { names, said: vec![approval] };
        let (same, others): (Vec<_>, Vec<_>) =
            voices.into_iter().partition(|known| !known.names.is_disjoint(&voice.names));
        for known in same {
            voice.names.extend(known.names);
            voice.said.extend(known.said);
        }
        voices = others;
        voices.push(voice);
    }
    voices.sort_by(|a, b| a.names.cmp(&b.names));
    voices
}

/// A name for comparison: upper and lower case are the same.
fn folded(person: &Person) -> String {
    person.as_str().to_lowercase()
}

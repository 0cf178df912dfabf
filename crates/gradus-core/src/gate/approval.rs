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
            Seen::Unknown(why) => return Answer::Hold(Reason::ApprovalsUnknown { why: why.clone() }),
        };
        let excluded = match (self.not_author, ask.brought_by) {
            (false, _) => &[][..],
            (true, Seen::Known(people)) => people.as_slice(),
            (true, Seen::Unknown(why)) => return Answer::Hold(Reason::AuthorUnknown { why: why.clone() }),
        };
        let people: BTreeSet<&Person> = approvals
            .iter()
            .filter(|approval| &approval.release == ask.release && self.may(approval))
            .filter(|approval| !excluded.iter().any(|person| is(approval, person)))
            .map(|approval| &approval.by)
            .collect();
        let have = u32::try_from(people.len()).unwrap_or(u32::MAX);
        if have >= self.min.get() {
            return Answer::Pass(Passed::ApprovedBy(people.into_iter().cloned().collect()));
        }
        Answer::Hold(Reason::WaitingForApproval {
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

/// Whether an approval is from this person, by any of the names they go by.
fn is(approval: &Approval, person: &Person) -> bool {
    std::iter::once(&approval.by)
        .chain(&approval.aliases)
        .any(|name| name.as_str().eq_ignore_ascii_case(person.as_str()))
}

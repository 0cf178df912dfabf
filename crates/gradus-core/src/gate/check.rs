//! `check`: somebody outside reported that the release is good.

use super::{Answer, Ask, Passed};
use crate::names::{CheckName, Person};
use crate::observation::{CheckFact, CheckResult, Seen};
use crate::reason::Reason;
use crate::release::Release;

/// An outside fact, bound to the release and to who may report it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckGate {
    /// Which check.
    pub name: CheckName,
    /// The only one whose report counts.
    pub reporter: Person,
}

impl CheckGate {
    /// The newest report of this check, by its reporter, of this very release.
    pub fn newest<'a>(&self, checks: &'a [CheckFact], release: &Release) -> Option<&'a CheckFact> {
        checks
            .iter()
            .filter(|fact| {
                fact.check == self.name && fact.reporter == self.reporter && &fact.release == release
            })
            .max_by_key(|fact| (fact.at, severity(fact.result), &fact.detail))
    }

    /// Passes or fails as the newest report says.
    pub fn answer(&self, ask: &Ask<'_>) -> Answer {
        let checks = match ask.checks {
            Seen::Known(checks) => checks,
            Seen::Unknown(why) => {
                return Answer::Hold(Reason::ChecksUnknown {
                    environment: ask.environment.clone(),
                    check: self.name.clone(),
                    why: why.clone(),
                });
            }
        };
        let pending = |since, detail| {
            Answer::Hold(Reason::CheckPending {
                environment: ask.environment.clone(),
                check: self.name.clone(),
                reporter: self.reporter.clone(),
                since,
                detail,
            })
        };
        match self.newest(checks, ask.release).map(|fact| (fact.result, fact)) {
            None => pending(None, None),
            Some((CheckResult::Pending, fact)) => pending(Some(fact.at), fact.detail.clone()),
            Some((CheckResult::Passed, fact)) => Answer::Pass(Passed::Checked(fact.at)),
            Some((CheckResult::Failed, fact)) => Answer::Fail(Reason::CheckFailed {
                environment: ask.environment.clone(),
                check: self.name.clone(),
                reporter: self.reporter.clone(),
                release: ask.release.clone(),
                since: fact.at,
                detail: fact.detail.clone(),
            }),
        }
    }

    /// The gate in words.
    pub fn words(&self) -> String {
        format!("check {} by {}", self.name, self.reporter)
    }
}

/// Of two reports at the same time the worse one counts.
fn severity(result: CheckResult) -> u8 {
    match result {
        CheckResult::Passed => 0,
        CheckResult::Pending => 1,
        CheckResult::Failed => 2,
    }
}

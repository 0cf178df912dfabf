//! `manual`: a person asks for each promotion by name, or approves it.

use std::collections::BTreeSet;

use super::{Answer, Ask, Passed};
use crate::observation::Seen;
use crate::reason::Reason;

/// Whether a person asked for this release, or said yes to it.
pub fn answer(ask: &Ask<'_>) -> Answer {
    if let Some(request) = ask.request {
        return Answer::Pass(Passed::AskedBy(request.by.clone()));
    }
    match ask.approvals {
        Seen::Unknown(why) => {
            Answer::Hold(Reason::ApprovalsUnknown { environment: ask.environment.clone(), why: why.clone() })
        }
        Seen::Known(approvals) => {
            let people: BTreeSet<_> = approvals
                .iter()
                .filter(|approval| &approval.release == ask.release)
                .map(|a| a.by.clone())
                .collect();
            if people.is_empty() {
                Answer::Hold(Reason::WaitingForPerson {
                    environment: ask.environment.clone(),
                    release: ask.release.clone(),
                })
            } else {
                Answer::Pass(Passed::ApprovedBy(people.into_iter().collect()))
            }
        }
    }
}

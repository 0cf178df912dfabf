//! What each command does. Doing it twice is doing it once.

use gradus_core::names::PipelineName;
use gradus_core::observation::{Approval, RequestKind};
use gradus_core::pipeline::Hold;
use gradus_core::release::Release;
use gradus_core::tell::{self, Clock};

use super::parse::Command;
use super::talk::Asked;
use super::{Answer, Below};
use crate::engine::{AskedFor, Engine, SayError};
use crate::port::forge::Who;
use crate::port::{PortError, PortErrorKind};

const UNKNOWN: &str =
    "that is no command. There are `approve`, `hold REASON`, `unhold`, `promote`, `explain` and `retry`.";
const CANNOT_HOLD: &str =
    "holds cannot be set from here. In a cluster they are objects, which `gradus hold` and `kubectl` write.";

impl Engine {
    /// Does what somebody asks for who may, and says what came of it. What cannot be done is said, too; an error is
    /// what may go better another time.
    pub(super) async fn carry_out(
        &self,
        below: &Below<'_>,
        asked: &Asked,
        who: Who,
    ) -> Result<Answer, PortError> {
        match &asked.command {
            Command::Approve(version) => match meant(below, asked, version.as_deref()) {
                Ok(release) => self.approved(below, asked, release, who).await,
                Err(words) => Ok(no(words)),
            },
            Command::Promote(version) => match meant(below, asked, version.as_deref()) {
                Ok(release) => self.asked_for(below, asked, &release).await,
                Err(words) => Ok(no(words)),
            },
            Command::Hold(reason) => self.held(below, asked, reason).await,
            Command::Unhold => self.lifted(below, asked).await,
            Command::Explain => Ok(Answer { words: self.explained(below), yes: true, done: false }),
            Command::Retry => {
                self.wake(&below.pipeline.key);
                Ok(Answer { words: "it is looked at again.".to_owned(), yes: true, done: false })
            }
            Command::Unknown(_) => Ok(no(UNKNOWN.to_owned())),
        }
    }

    async fn approved(
        &self,
        below: &Below<'_>,
        asked: &Asked,
        release: Release,
        who: Who,
    ) -> Result<Answer, PortError> {
        let Who { aliases, groups, .. } = who;
        let words = format!("your yes to {release} in {} is recorded.", below.environment);
        // As it was said then, so that doing it again after a crash is the same.
        let approval = Approval { release, by: asked.by.clone(), groups, aliases, at: asked.at };
        said(self.record_approval(below.pipeline, below.environment, approval).await, words)
    }

    async fn asked_for(
        &self,
        below: &Below<'_>,
        asked: &Asked,
        release: &Release,
    ) -> Result<Answer, PortError> {
        let wanted = AskedFor {
            environment: below.environment.clone(),
            version: Some(written(release)),
            kind: RequestKind::Promote,
            by: asked.by.clone(),
            reason: None,
        };
        let words = format!("{release} is asked for in {}; its gates still count.", below.environment);
        said(self.ask(&below.pipeline.key, wanted, false).await.map(drop), words)
    }

    async fn held(&self, below: &Below<'_>, asked: &Asked, reason: &str) -> Result<Answer, PortError> {
        let name = hold_name(below);
        if let Some(there) = below.pipeline.holds.iter().find(|hold| *hold.name == *name) {
            // A hold that was written before a crash is the same one.
            let same = there.owner == asked.by && *there.reason == *reason;
            let words = format!("{} holds {} already: {}.", there.owner, below.environment, there.reason);
            return Ok(Answer { words, yes: same, done: false });
        }
        let Some(holder) = self.holder() else { return Ok(no(CANNOT_HOLD.to_owned())) };
        let hold = Hold {
            name: name.into(),
            environment: Some(below.environment.clone()),
            pin: None,
            reason: reason.into(),
            owner: asked.by.clone(),
            since: Some(asked.at),
            until: None,
        };
        let set = holder.hold(&below.pipeline.key, &hold).await;
        let words = format!("nothing comes into {} until somebody says `/gradus unhold`.", below.environment);
        done(set, || Answer { words, yes: true, done: true })
    }

    async fn lifted(&self, below: &Below<'_>, asked: &Asked) -> Result<Answer, PortError> {
        let Some(holder) = self.holder() else { return Ok(no(CANNOT_HOLD.to_owned())) };
        let lifted = holder.lift(&below.pipeline.key, &hold_name(below), &asked.by).await;
        let lifted = match lifted {
            Ok(false) => return Ok(no(format!("no comment holds {}.", below.environment))),
            lifted => lifted.map(drop),
        };
        let words = format!("what a comment held in {} is not held any more.", below.environment);
        done(lifted, || Answer { words, yes: true, done: true })
    }

    /// The words of `gradus explain`.
    fn explained(&self, below: &Below<'_>) -> String {
        let clock = Clock::utc(self.ports.clock.now());
        let words = tell::explain(&below.looked.report, below.environment, &clock).unwrap_or_default();
        // Nothing in it may end the block that it is in.
        format!("this is how it stands.\n\n```text\n{}\n```", words.trim_end().replace("```", "` ` `"))
    }
}

/// The release that a command means: what it names, or what was proposed when it was said. Only what is proposed now
/// can be meant.
fn meant(below: &Below<'_>, asked: &Asked, version: Option<&str>) -> Result<Release, String> {
    let now = below.release;
    let same = match version {
        Some(version) => *version == written(now) || *version == now.to_string(),
        None => asked.meant.as_deref() == Some(now.to_string().as_str()),
    };
    if same {
        return Ok(now.clone());
    }
    Err(match (version, &asked.meant) {
        (Some(version), _) => format!("nothing is done: {now} is proposed here, and not {version}."),
        (None, Some(then)) => format!(
            "nothing is done: {then} was proposed when you said so, and now {now} is. Say it again if you mean that."
        ),
        (None, None) => format!(
            "nothing is done: what was proposed when you said so is not known. Now {now} is; say it again if you \
             mean that."
        ),
    })
}

/// A release as it is typed.
fn written(release: &Release) -> String {
    let all: Vec<String> = release.versions().map(|(name, version)| format!("{name}={version}")).collect();
    if all.len() == 1 { release.to_string() } else { all.join(",") }
}

/// The one hold of an environment that comments set and lift.
fn hold_name(below: &Below<'_>) -> String {
    let name = format!("{}-{}-by-comment", below.pipeline.key.name, below.environment);
    match PipelineName::parse(&name) {
        Ok(_) => name,
        Err(_too_long) => format!("{}-by-comment", below.environment),
    }
}

fn no(words: String) -> Answer {
    Answer { words, yes: false, done: false }
}

fn said(recorded: Result<(), SayError>, words: String) -> Result<Answer, PortError> {
    match recorded {
        Ok(()) => Ok(Answer { words, yes: true, done: true }),
        Err(error) => {
            let words = error.to_string();
            match error.into_cause() {
                Some(cause) => done(Err(cause), || no(words)),
                None => Ok(no(format!("nothing is done: {words}."))),
            }
        }
    }
}

/// What is said of something that was done, or that cannot be done.
fn done(tried: Result<(), PortError>, answer: impl FnOnce() -> Answer) -> Result<Answer, PortError> {
    match tried {
        Ok(()) => Ok(answer()),
        Err(error) => match error.kind {
            PortErrorKind::Unreachable | PortErrorKind::OutcomeUnknown => Err(error),
            PortErrorKind::Denied
            | PortErrorKind::Unusable
            | PortErrorKind::Missing
            | PortErrorKind::Broken
            | PortErrorKind::Local => {
                let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                Ok(no(format!("nothing is done: {}{hint}.", error.in_full())))
            }
        },
    }
}

//! Commands in comments below proposals.
//!
//! They are found at a look, like everything else: those that nobody answered yet
//! are carried out as if their author had used the API, and answered below. The
//! answer names the comments it is to, which is how they are known to be answered
//! after a restart. Who somebody is and what they may do is asked of the forge;
//! the text says only what they want.

mod deeds;
mod parse;
mod talk;

use gradus_core::names::EnvironmentName;
use gradus_core::observation::{Fit, ProposalSeen, Seen};
use gradus_core::pipeline::{Commands, Environment, Mode, Pipeline};
use gradus_core::release::Release;

use crate::engine::{Engine, Looked};
use crate::observe::{Sight, proposal_branch, proposals, reviews};
use crate::port::forge::{AnswerTo, ProposalPlace};
use crate::port::{PortError, PortErrorKind};
use talk::Talk;

/// So many commands are carried out at one look.
const AT_ONCE: usize = 20;

/// Where a command was said, and what is proposed there now.
struct Below<'a> {
    pipeline: &'a Pipeline,
    looked: &'a Looked,
    environment: &'a EnvironmentName,
    place: ProposalPlace,
    open: &'a ProposalSeen,
    /// What is proposed.
    release: &'a Release,
}

/// What is answered, and whether it is a yes.
struct Answer {
    words: String,
    yes: bool,
    /// Whether something is another way now, so that the plan may be.
    done: bool,
}

impl Engine {
    /// Carries out what was asked for below the open proposals, and answers. Says whether something was done, so
    /// that what was planned before may be wrong; or what could not be asked or said.
    pub(crate) async fn hear(
        &self,
        pipeline: &Pipeline,
        looked: &Looked,
        sight: &Sight,
    ) -> Result<bool, PortError> {
        let mut done = false;
        // Whoever only looks says nothing either.
        if pipeline.mode != Mode::Active {
            return Ok(false);
        }
        for environment in pipeline.environments() {
            let Some(below) = below(pipeline, environment, looked, sight) else { continue };
            done |= self.hear_below(environment, &below).await?;
        }
        Ok(done)
    }

    async fn hear_below(&self, environment: &Environment, below: &Below<'_>) -> Result<bool, PortError> {
        let forge = &self.ports.forge;
        let (place, number) = (&below.place, below.open.number);
        let comments = forge.comments(place, number).await?;
        let talk = Talk::of(&comments);
        let release = below.release.to_string();
        if talk.proposes.as_deref() != Some(release.as_str()) {
            forge.say(place, number, &talk::proposes(environment.name.as_str(), &release), None).await?;
        }
        let groups = reviews::groups(environment);
        let mut refused = talk.refused.clone();
        let mut done = false;
        if !talk.asked.is_empty() {
            forge.answers(place);
        }
        for asked in talk.asked.iter().take(AT_ONCE) {
            let may = match forge.who(place, &asked.by, &groups).await {
                Ok(who) => who.may.clone().map(|()| who),
                // What is not known may nothing.
                Err(error) if is_lasting(&error) => {
                    Err(format!("cannot be asked about: {}", error.in_full()))
                }
                Err(error) => return Err(error),
            };
            let answer = match may {
                Ok(who) => self.carry_out(below, asked, who).await?,
                // One answer is polite; a second one is noise.
                Err(_) if !refused.insert(asked.by.as_str().to_lowercase()) => continue,
                Err(why) => talk::refusal(&asked.by, &why),
            };
            let to = AnswerTo { comments: asked.comments.clone(), yes: answer.yes };
            forge.say(place, number, &talk::answer(asked, &answer), Some(&to)).await?;
            done |= answer.done;
        }
        Ok(done)
    }
}

/// The open proposal of an environment in which commands are taken, whose branch is gradus's alone.
fn below<'a>(
    pipeline: &'a Pipeline,
    environment: &'a Environment,
    looked: &'a Looked,
    sight: &Sight,
) -> Option<Below<'a>> {
    match environment.pull_request().commands {
        Commands::Off => return None,
        Commands::Members => {}
    }
    let open = looked.report.environment(&environment.name)?.proposal.as_ref()?;
    match open.fit {
        Fit::Current | Fit::Behind | Fit::Queued(_) => {}
        Fit::Foreign | Fit::Declined(_) => return None,
    }
    let Seen::Known(release) = &open.release else { return None };
    let base = &sight.ground(&environment.name)?.branch;
    let branch = proposal_branch(pipeline, &environment.name)?;
    let place = proposals::place(pipeline, &environment.name, base, &branch);
    Some(Below { pipeline, looked, environment: &environment.name, place, open, release })
}

/// Whether asking again gives the same answer until somebody changes something.
fn is_lasting(error: &PortError) -> bool {
    match error.kind {
        PortErrorKind::Denied | PortErrorKind::Unusable | PortErrorKind::Missing => true,
        PortErrorKind::Unreachable
        | PortErrorKind::OutcomeUnknown
        | PortErrorKind::Broken
        | PortErrorKind::Local => false,
    }
}

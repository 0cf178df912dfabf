//! What an approval is answered, or what it promotes.

use crate::answer::{Answer, NOT_WAITING};
use crate::kind::Pipeline;
use crate::name::Revision;
use crate::promotion::Promotion;
use crate::signature::Signed;
use crate::webhook::no_such_environment;

/// What becomes of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is answered, and nothing else is done.
    Answer(Answer),
    /// It cannot be promoted, and why is for the log only. Answered with [`Answer::failed`].
    Unable(&'static str),
    /// This is promoted, and then no longer waits.
    Promote(Box<Promotion>),
}

/// What becomes of an approval of this revision for this environment.
///
/// What waits decides, and nothing else: whether the promotion is still manual is
/// not asked, as somebody may have changed that while it waited.
pub fn decide(pipeline: &Pipeline, environment: &str, revision: &str, signed: Signed) -> Decision {
    if !signed.is_fine() {
        return Decision::Answer(Answer::status(401));
    }
    let approved = Revision::parse(revision).ok().filter(|_| pipeline.waiting(environment) == Some(revision));
    let Some(revision) = approved else { return Decision::Answer(Answer::unprocessable(NOT_WAITING)) };
    let Some(to) = pipeline.environment(environment) else {
        return Decision::Answer(Answer::unprocessable(no_such_environment(pipeline, environment)));
    };
    match Promotion::to(pipeline, to, revision) {
        Ok(promotion) => Decision::Promote(Box::new(promotion)),
        Err(unable) => Decision::Unable(unable.words()),
    }
}

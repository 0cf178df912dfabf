//! A promotion that is to be made.

use crate::effective::{Strategy, effective, promotes};
use crate::kind::{Environment, Pipeline, PromotionSpec};
use crate::name::Revision;

/// A promotion that is to be made. Making it twice is the same as making it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The pipeline.
    pub pipeline: String,
    /// The environment that it goes to.
    pub environment: Environment,
    /// What goes there.
    pub revision: Revision,
    /// What is in force for that environment.
    pub spec: PromotionSpec,
    /// How it is written.
    pub strategy: Strategy,
}

/// Why there is nothing that could be promoted to an environment with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unable {
    /// Neither the environment nor the pipeline has a promotion.
    NoPromotion,
    /// The promotion names no strategy.
    NoStrategy,
}

impl Unable {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NoPromotion => "neither the environment nor the pipeline says how to promote",
            Self::NoStrategy => "the promotion names no strategy",
        }
    }
}

impl Promotion {
    pub(crate) fn to(pipeline: &Pipeline, to: &Environment, revision: Revision) -> Result<Self, Unable> {
        let spec = effective(pipeline, &to.name).ok_or(Unable::NoPromotion)?;
        let strategy = promotes(spec).ok_or(Unable::NoStrategy)?;
        Ok(Self {
            namespace: pipeline.metadata.namespace.clone(),
            pipeline: pipeline.metadata.name.clone(),
            environment: to.clone(),
            revision,
            spec: spec.clone(),
            strategy,
        })
    }
}

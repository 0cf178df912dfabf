//! What can go wrong with real parts.

use std::error::Error;

/// A real part could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct TestbedError {
    /// What went wrong.
    pub kind: TestbedErrorKind,
    doing: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What went wrong with a real part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestbedErrorKind {
    /// A program is neither there nor can it be built.
    Tools,
    /// Files, processes or certificates: this machine.
    Machine,
    /// A part ended by itself, or did not become ready in time.
    NotReady,
    /// A port that was free was taken by somebody else.
    PortTaken,
    /// The YAML does not say what it is about.
    Document,
    /// The cluster refused what it was asked.
    Refused,
}

impl TestbedError {
    pub(crate) fn new(kind: TestbedErrorKind, doing: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), source: None }
    }

    pub(crate) fn because(
        kind: TestbedErrorKind,
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, doing: doing.into(), source: Some(source.into()) }
    }

    /// For `map_err`: this machine failed at something.
    pub(crate) fn machine<E: Into<Box<dyn Error + Send + Sync>>>(
        doing: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::because(TestbedErrorKind::Machine, doing, source)
    }

    /// For `map_err`: the cluster said no.
    pub(crate) fn refused(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        move |error| {
            // What the cluster says about it, without the shape it says it in.
            let said: Box<dyn Error + Send + Sync> =
                if let kube::Error::Api(status) = error { status.message.into() } else { error.into() };
            Self::because(TestbedErrorKind::Refused, doing, said)
        }
    }
}

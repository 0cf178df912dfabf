//! Why there is no server.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// A server could not be started.
#[derive(Debug)]
pub struct ServerError {
    /// What is wrong.
    pub kind: ServerErrorKind,
    /// The address that it should have listened on.
    pub listen: SocketAddr,
    source: Option<io::Error>,
}

/// What is wrong with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerErrorKind {
    /// The address cannot be taken.
    Bind,
    /// Others can reach the address, and there is no token to ask them for.
    OpenToOthers,
}

impl ServerError {
    pub(super) fn new(listen: SocketAddr, kind: ServerErrorKind) -> Self {
        Self { kind, listen, source: None }
    }

    pub(crate) fn bind(listen: SocketAddr, source: io::Error) -> Self {
        Self { kind: ServerErrorKind::Bind, listen, source: Some(source) }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.kind {
            ServerErrorKind::Bind => "use another address or port, or stop what listens there",
            ServerErrorKind::OpenToOthers => {
                "make a token first (gradus token create), or listen on a loopback address (127.0.0.1)"
            }
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listen = self.listen;
        match self.kind {
            ServerErrorKind::Bind => write!(f, "cannot listen on {listen}"),
            ServerErrorKind::OpenToOthers => write!(
                f,
                "cannot listen on {listen}: others can reach it, and without tokens everybody would be an operator"
            ),
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

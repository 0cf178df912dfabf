//! The bounds of what comes from outside.

use std::time::Duration;

/// The bounds of what comes from outside. Each is there so that one who is slow,
/// greedy or hostile takes only a share of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are open at the same time; more wait to be accepted.
    pub connections: usize,
    /// How many of them listen to events.
    pub listeners: usize,
    /// How long the head of a request may take to come, and how long a connection may be idle.
    pub head: Duration,
    /// How long the body of a request may take to come.
    pub body: Duration,
    /// How long a request may take from its head to the head of its answer.
    pub request: Duration,
    /// How old a connection may get before it is asked to end.
    pub age: Duration,
    /// How long requests that are under way may take once the server stops.
    pub drain: Duration,
    /// The longest body of an API request, in bytes.
    pub api_bytes: usize,
    /// The longest body of a webhook, in bytes. Flux takes 3 MiB for itself.
    pub hook_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            listeners: 256,
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            request: Duration::from_secs(60),
            age: Duration::from_secs(3600),
            drain: Duration::from_secs(10),
            api_bytes: 64 * 1024,
            hook_bytes: 3 * 1024 * 1024,
        }
    }
}

//! Where an API has the things of one repository.

use gradus_core::names::ProposalNumber;

use super::address::RepoAddress;
use super::request::{Method, Request};

/// What is below a repository in a forge's API.
pub(super) struct Below<'a> {
    pub(super) address: &'a RepoAddress,
    /// The parts of the path to the repository.
    pub(super) path: Vec<String>,
    /// The part under which its proposals are.
    pub(super) pulls: &'static str,
    /// What the forge calls one of them.
    pub(super) pull: &'static str,
    /// What is said in the query of each request.
    pub(super) query: Option<(&'static str, &'static str)>,
}

impl Below<'_> {
    /// A request for what is at these parts of the path.
    pub(super) fn at(&self, method: Method, doing: impl Into<String>, parts: &[&str]) -> Request {
        let mut path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        path.extend(parts);
        let request = Request::new(method, doing, &path);
        match self.query {
            Some((name, value)) => request.with(name, value),
            None => request,
        }
    }

    /// A request for what is at these parts of the path to a proposal. What is done ends in words that fit before
    /// the proposal.
    pub(super) fn pull(
        &self,
        method: Method,
        number: ProposalNumber,
        doing: &str,
        parts: &[&str],
    ) -> Request {
        let (pull, address, number) = (self.pull, self.address, number.0.to_string());
        let mut path = vec![self.pulls, number.as_str()];
        path.extend(parts);
        self.at(method, format!("{doing} {pull} {number} of {address}"), &path)
    }
}

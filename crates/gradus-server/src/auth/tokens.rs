//! The tokens that let people and machines in.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use gradus_core::names::{Group, Person};
use jiff::Timestamp;

use super::caller::Caller;
use super::role::Role;
use super::secret::{TokenSecret, hash};
use super::store::{self, Book, Stamp, Stored};
use crate::api::v1::Time;

/// The tokens of one file. A change of the file counts from the next request on.
///
/// A file that goes away, or that cannot be read, lets nobody in who was not let
/// in before: without the file nobody, with a broken one those of the last state
/// that could be read.
pub struct Tokens {
    path: PathBuf,
    state: RwLock<State>,
}

struct State {
    stamp: Option<Stamp>,
    /// Absent as long as there was never a file.
    known: Option<Arc<[Known]>>,
}

struct Known {
    name: String,
    hash: String,
    expires: Option<Timestamp>,
    caller: Caller,
}

/// A token to make.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Who holds it: the name that stands in the record.
    pub name: Person,
    /// What it is good for.
    pub roles: BTreeSet<Role>,
    /// The groups whose approvals its holder can give.
    pub groups: Vec<Group>,
    /// The other names of its holder, such as the addresses in their commits.
    pub aliases: Vec<Person>,
    /// When it stops to be good; never when absent.
    pub expires: Option<Timestamp>,
}

/// A token as it can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// Who holds it.
    pub name: String,
    /// What it is good for.
    pub roles: Vec<Role>,
    /// The groups of its holder.
    pub groups: Vec<String>,
    /// The other names of its holder.
    pub aliases: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops to be good.
    pub expires: Option<Timestamp>,
}

/// Why a token does not let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotLetIn {
    Unknown,
    Expired,
}

impl Tokens {
    /// The tokens of this file. There need not be one yet.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let tokens = Self { path: path.to_owned(), state: RwLock::new(State { stamp: None, known: None }) };
        tokens.refresh()?;
        Ok(tokens)
    }

    /// No tokens and no file of them: the API is for the machine itself.
    pub fn none() -> Self {
        Self { path: PathBuf::new(), state: RwLock::new(State { stamp: None, known: None }) }
    }

    /// Whether there is, or ever was, a file: only then are tokens asked for.
    pub fn are_asked_for(&self) -> bool {
        self.state().known.is_some()
    }

    /// Whether nobody could be let in.
    pub fn is_empty(&self) -> bool {
        self.state().known.is_none_or(|known| known.is_empty())
    }

    /// Makes a token and adds it to the file, which is made if it is missing. The secret is in the answer and nowhere else.
    pub fn create(&self, new: NewToken, now: Timestamp) -> Result<TokenSecret, TokenError> {
        let secret = TokenSecret::random().map_err(|_| self.error(TokenErrorKind::NoRandomness))?;
        let hash = hash(secret.reveal()).ok_or_else(|| self.error(TokenErrorKind::NoRandomness))?;
        if new.roles.is_empty() {
            return Err(self.error(TokenErrorKind::NoRole));
        }
        self.change(|book| {
            if book.tokens.iter().any(|token| token.name == new.name.as_str()) {
                return Err(TokenErrorKind::NameTaken(new.name.clone()));
            }
            book.tokens.push(Stored {
                name: new.name.to_string(),
                roles: new.roles.iter().copied().collect(),
                groups: new.groups.iter().map(ToString::to_string).collect(),
                aliases: new.aliases.iter().map(ToString::to_string).collect(),
                hash,
                created: Time(now),
                expires: new.expires.map(Time),
            });
            Ok(())
        })?;
        Ok(secret)
    }

    /// The tokens in the file.
    pub fn list(&self) -> Result<Vec<TokenInfo>, TokenError> {
        let book = store::read(&self.path).map_err(|cause| self.caused(TokenErrorKind::Unreadable, cause))?;
        let tokens = book.unwrap_or_default().tokens.into_iter().map(|token| TokenInfo {
            name: token.name,
            roles: token.roles,
            groups: token.groups,
            aliases: token.aliases,
            created: token.created.0,
            expires: token.expires.map(|at| at.0),
        });
        Ok(tokens.collect())
    }

    /// Takes a token out of the file; `false` when there is none of this name.
    pub fn revoke(&self, name: &str) -> Result<bool, TokenError> {
        let mut found = false;
        self.change(|book| {
            let before = book.tokens.len();
            book.tokens.retain(|token| token.name != name);
            found = book.tokens.len() != before;
            Ok(())
        })?;
        Ok(found)
    }

    /// Who holds this token. Every known hash is compared in full, so that the time it takes tells nothing.
    pub(crate) fn find(&self, token: &str, now: Timestamp) -> Result<Caller, NotLetIn> {
        let (Some(hash), Some(known)) = (hash(token), self.state().known) else {
            return Err(NotLetIn::Unknown);
        };
        let mut found = None;
        for one in known.iter() {
            if verify_slices_are_equal(one.hash.as_bytes(), hash.as_bytes()).is_ok() {
                found = Some(one);
            }
        }
        match found {
            None => Err(NotLetIn::Unknown),
            Some(one) if one.expires.is_some_and(|expires| expires <= now) => Err(NotLetIn::Expired),
            Some(one) => Ok(one.caller.clone()),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Book) -> Result<(), TokenErrorKind>) -> Result<(), TokenError> {
        let lock = store::lock(&self.path).map_err(|cause| self.caused(TokenErrorKind::Unwritable, cause))?;
        let book = store::read(&self.path).map_err(|cause| self.caused(TokenErrorKind::Unreadable, cause))?;
        let mut book = book.unwrap_or_default();
        change(&mut book).map_err(|kind| self.error(kind))?;
        store::write(&self.path, &book).map_err(|cause| self.caused(TokenErrorKind::Unwritable, cause))?;
        drop(lock);
        self.refresh()
    }

    /// The state, read again if the file has changed.
    fn state(&self) -> State {
        if let Err(error) = self.refresh() {
            tracing::warn!(error = %error, cause = ?error.cause(), "the tokens stay as they were");
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        State { stamp: None, known: state.known.clone() }
    }

    fn refresh(&self) -> Result<(), TokenError> {
        let stamp =
            store::stamp(&self.path).map_err(|cause| self.caused(TokenErrorKind::Unreadable, cause))?;
        if self.state.read().unwrap_or_else(PoisonError::into_inner).stamp == stamp {
            return Ok(());
        }
        let book = store::read(&self.path).map_err(|cause| self.caused(TokenErrorKind::Unreadable, cause));
        let known = book.and_then(|book| book.map(|book| self.known(book)).transpose());
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // A broken file is told of once, not at every request.
        state.stamp = stamp;
        match known? {
            Some(known) => state.known = Some(known),
            None if state.known.is_some() => state.known = Some(Arc::default()),
            None => {}
        }
        Ok(())
    }

    fn known(&self, book: Book) -> Result<Arc<[Known]>, TokenError> {
        let wrong = |token: &Stored, why: String| self.error(TokenErrorKind::Wrong(token.name.clone(), why));
        book.tokens
            .into_iter()
            .map(|token| {
                let persons = |names: &[String]| names.iter().map(|name| Person::parse(name)).collect();
                let person = Person::parse(&token.name).map_err(|error| wrong(&token, error.to_string()))?;
                let aliases: Result<Vec<_>, _> = persons(&token.aliases);
                let aliases = aliases.map_err(|error| wrong(&token, error.to_string()))?;
                let groups: Result<Vec<_>, _> = token.groups.iter().map(|name| Group::parse(name)).collect();
                let groups = groups.map_err(|error| wrong(&token, error.to_string()))?;
                let roles = token.roles.iter().copied().collect();
                Ok(Known {
                    name: token.name,
                    hash: token.hash,
                    expires: token.expires.map(|at| at.0),
                    caller: Caller { person, groups, aliases, roles },
                })
            })
            .collect()
    }

    fn error(&self, kind: TokenErrorKind) -> TokenError {
        TokenError { kind, path: self.path.clone(), source: None }
    }

    fn caused(&self, kind: TokenErrorKind, cause: io::Error) -> TokenError {
        TokenError { kind, path: self.path.clone(), source: Some(cause) }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.state().known;
        let names: Vec<&str> = known.iter().flat_map(|known| known.iter()).map(|one| &*one.name).collect();
        f.debug_struct("Tokens").field("path", &self.path).field("names", &names).finish()
    }
}

/// Something with the tokens did not work.
#[derive(Debug)]
pub struct TokenError {
    /// What.
    pub kind: TokenErrorKind,
    /// The file.
    pub path: PathBuf,
    source: Option<io::Error>,
}

/// What did not work with the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenErrorKind {
    /// The file cannot be read, or is not what it should be.
    Unreadable,
    /// The file cannot be written.
    Unwritable,
    /// A token in the file is not what it should be.
    Wrong(String, String),
    /// Somebody holds a token of this name already.
    NameTaken(Person),
    /// A token without a role is good for nothing.
    NoRole,
    /// The machine has no randomness to give.
    NoRandomness,
}

impl TokenError {
    fn cause(&self) -> Option<String> {
        self.source.as_ref().map(ToString::to_string)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            TokenErrorKind::Unreadable => write!(f, "cannot read the tokens in {path}"),
            TokenErrorKind::Unwritable => write!(f, "cannot write the tokens to {path}"),
            TokenErrorKind::Wrong(name, why) => write!(f, "cannot use the token {name:?} in {path}: {why}"),
            TokenErrorKind::NameTaken(name) => {
                write!(f, "cannot make a token for {name}: there is one in {path}; revoke it first")
            }
            TokenErrorKind::NoRole => write!(f, "cannot make a token without a role; give it at least one"),
            TokenErrorKind::NoRandomness => write!(f, "cannot make a token: the machine gives no randomness"),
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

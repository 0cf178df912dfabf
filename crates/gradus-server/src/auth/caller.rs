//! Who asks: found out once for each request, before anything else is done with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use gradus_core::names::{Group, Person};

use super::role::{Deed, Role};
use super::tokens::NotLetIn;
use crate::api::ApiError;
use crate::app::App;

/// Who is taken for granted where nobody has to say who they are.
const SOMEBODY_HERE: &str = "local";

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The name that stands in the record.
    pub(crate) person: Person,
    /// The groups whose approvals they can give.
    pub(crate) groups: Vec<Group>,
    /// Their other names, such as the addresses in their commits.
    pub(crate) aliases: Vec<Person>,
    /// What they may do.
    pub(crate) roles: BTreeSet<Role>,
}

impl Caller {
    /// Whether they may do this; else the refusal to answer with.
    pub(crate) fn may(&self, deed: Deed) -> Result<(), ApiError> {
        if self.roles.iter().any(|role| role.may(deed)) {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "not-allowed",
            format!("{} may not {}", self.person, deed.words()),
        )
        .with_help(format!("use a token with the role {}", deed.roles())))
    }

    /// Somebody on this machine, where no tokens are asked for: an operator, by
    /// the name in `X-Gradus-User`, in the groups in `X-Gradus-Groups`.
    fn on_this_machine(headers: &HeaderMap) -> Result<Self, ApiError> {
        let header =
            |name: &'static str| match headers.get(name).map(|value| str::from_utf8(value.as_bytes())) {
                None => Ok(None),
                Some(Ok(text)) => Ok(Some(text)),
                Some(Err(_)) => Err(ApiError::malformed(format!("the header {name} is not UTF-8"))),
            };
        let person = Person::parse(header("x-gradus-user")?.unwrap_or(SOMEBODY_HERE));
        let groups = header("x-gradus-groups")?.unwrap_or_default().split(',').map(str::trim);
        let groups: Result<Vec<Group>, _> =
            groups.filter(|name| !name.is_empty()).map(Group::parse).collect();
        Ok(Self {
            person: person.map_err(|error| ApiError::malformed(format!("X-Gradus-User: {error}")))?,
            groups: groups.map_err(|error| ApiError::malformed(format!("X-Gradus-Groups: {error}")))?,
            aliases: Vec::new(),
            roles: BTreeSet::from([Role::Operator]),
        })
    }
}

/// Finds out who asks, and answers for the endpoint when that is nobody who may.
///
/// With a file of tokens a bearer token is asked for. Without one, everybody on
/// this machine is an operator: that is for the first five minutes, and is only
/// so where the server listens on a loopback address.
pub(crate) async fn identify(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = if app.is_open() {
        Caller::on_this_machine(request.headers())?
    } else {
        let token = bearer(request.headers())?;
        app.tokens.find(token, app.now()).map_err(|why| match why {
            NotLetIn::Unknown => ApiError::unauthorized("unknown-token", "the token is not known"),
            NotLetIn::Expired => ApiError::unauthorized("expired-token", "the token has expired"),
        })?
    };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || ApiError::unauthorized("missing-token", "a token is needed");
    let header = headers.get(AUTHORIZATION).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (scheme, token) = header.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // An endpoint that is not behind `identify` lets nobody in.
        let nobody = || ApiError::unauthorized("missing-token", "a token is needed");
        parts.extensions.get::<Self>().cloned().ok_or_else(nobody)
    }
}

//! The webhook for forges: one address for each kind.

mod event;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use gradus_core::pipeline::ForgeKind;

use super::signature::believed_of_this;
use super::{Outcome, Taken, Understood};
use crate::api::v1::ErrorBody;
use crate::api::{ApiError, not_json};
use crate::app::App;
use event::Told;

/// Takes an event of a forge, of any of its repositories.
///
/// The pipelines that it may matter to are looked at soon: those of the repository, if the branch that is
/// deployed or one of a proposal has moved, or if somebody did or said something at a proposal. Nothing that the
/// event says is believed beyond that.
#[utoipa::path(post, path = "/hooks/forge/{kind}", tag = "hooks", operation_id = "forgeEvent",
    params(
        ("kind" = String, Path, description = "`github`, `gitlab`, `gitea`, `forgejo`, `bitbucket`, `bitbucket-server` or `azure-devops`"),
        ("X-Hub-Signature-256" = Option<String>, Header, description = "GitHub, Gitea: `sha256=` and the HMAC of the body in hex digits"),
        ("X-Gitea-Signature" = Option<String>, Header, description = "Gitea: the HMAC of the body in hex digits"),
        ("X-Hub-Signature" = Option<String>, Header, description = "Bitbucket: `sha256=` and the HMAC of the body in hex digits"),
        ("X-Gitlab-Token" = Option<String>, Header, description = "GitLab: the key itself"),
        ("webhook-signature" = Option<String>, Header, description = "GitLab, with `webhook-id` and `webhook-timestamp`: `v1,` and the HMAC in Base64"),
        ("Authorization" = Option<String>, Header, description = "Azure DevOps: `Basic`, with the key as the password"),
    ),
    request_body(content = serde_json::Value, description = "An event as the forge sends it", content_type = "application/json"),
    responses(
        (status = 200, description = "The forge tries whether it is heard", body = Taken),
        (status = 202, description = "What was understood", body = Taken),
        (status = 400, description = "Not an event", body = ErrorBody),
        (status = 401, description = "Not signed, or not with the right key", body = ErrorBody),
        (status = 404, description = "There is no such kind of forge", body = ErrorBody),
        (status = 413, description = "The body is too long", body = ErrorBody),
        (status = 503, description = "The pipelines were not read yet: send it again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(kind): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let taken = take(&app, &kind, request).await;
    app.metrics.hook(match &taken {
        Ok((_, taken)) => taken.understood.into(),
        Err(error) => Outcome::from(error),
    });
    taken.map(|(status, taken)| (status, Json(taken)))
}

async fn take(app: &Arc<App>, kind: &str, request: Request) -> Result<(StatusCode, Taken), ApiError> {
    let Some(kind) = ForgeKind::of_word(kind) else {
        let names = ForgeKind::ALL.map(ForgeKind::word);
        return Err(ApiError::not_found("unknown-forge", format!("there is no kind of forge {kind:?}"))
            .with_help(format!("there are {}", names.join(", "))));
    };
    let (parts, body) = request.into_parts();
    if is_unsigned_ping(kind, &parts.headers) {
        return Ok(heard());
    }
    let body = believed_of_this(app, kind, &parts, body).await?;
    is_json(&parts)?;
    let body: serde_json::Value = serde_json::from_slice(&body).map_err(|error| not_json(&error))?;
    let event = match event::read(kind, &parts.headers, &body)? {
        Told::Ping => return Ok(heard()),
        Told::Nothing(words) => return Ok((StatusCode::ACCEPTED, taken(Understood::Nothing, words))),
        Told::Event(event) => event,
    };
    app.were_read()?;
    let keys = app.repositories.heard(&event);
    for key in &keys {
        app.engine.wake(key);
    }
    let (understood, words) = match keys.as_slice() {
        [] => (Understood::Nothing, "it matters to no pipeline".to_owned()),
        [key] => (Understood::Wake, format!("{key} is looked at soon")),
        more => (Understood::Wake, format!("{} pipelines are looked at soon", more.len())),
    };
    Ok((StatusCode::ACCEPTED, taken(understood, words)))
}

/// Bitbucket Data Center tries an address without signing, whatever secret is set. It learns that somebody is there.
fn is_unsigned_ping(kind: ForgeKind, headers: &HeaderMap) -> bool {
    kind == ForgeKind::BitbucketServer
        && headers.get("x-event-key").is_some_and(|event| event == "diagnostics:ping")
        && !headers.contains_key("x-hub-signature")
}

/// GitHub and Gitea can send forms instead.
fn is_json(parts: &Parts) -> Result<(), ApiError> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return Err(ApiError::malformed("the event is sent as a form")
            .with_help("choose application/json as the content type of the webhook"));
    }
    Ok(())
}

fn heard() -> (StatusCode, Taken) {
    (StatusCode::OK, taken(Understood::Nothing, "gradus hears what is sent here".to_owned()))
}

fn taken(understood: Understood, words: String) -> Taken {
    Taken { understood, release: None, words }
}

//! The endpoints, and the document that describes them.

use std::sync::Arc;

use axum::Router;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::v1;
use crate::app::App;
use crate::{health, hooks};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "gradus",
        version = "v1",
        description = "What runs where, what comes next and why; approvals, reports and webhooks.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    tags(
        (name = "pipelines", description = "What was found, and why nothing more happens"),
        (name = "people", description = "What people say: approvals, promotions, ways back, holds"),
        (name = "machines", description = "What machines report"),
        (name = "server", description = "The server itself"),
        (name = "hooks", description = "Webhooks: signed bodies"),
    ),
    modifiers(&Bearer),
)]
struct Document;

/// Says that the endpoints ask for a bearer token.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// The endpoints that ask who the caller is, those that do not, and the document of both.
pub(crate) fn routes() -> (Router<Arc<App>>, Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let (asking, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(v1::pipelines::list))
        .routes(routes!(v1::pipeline::get))
        .routes(routes!(v1::explain::get))
        .routes(routes!(v1::history::get))
        .routes(routes!(v1::proposals::list))
        .routes(routes!(v1::approve::post))
        .routes(routes!(v1::promote::post))
        .routes(routes!(v1::rollback::post))
        .routes(routes!(v1::report::post))
        .routes(routes!(v1::check::post))
        .routes(routes!(v1::holds::list, v1::holds::post))
        .routes(routes!(v1::holds::delete))
        .routes(routes!(v1::problems::list))
        .routes(routes!(v1::events::get))
        .split_for_parts();
    let (public, public_document) = OpenApiRouter::default()
        .routes(routes!(v1::version::get))
        .routes(routes!(v1::document::get))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .merge(hooks())
        .split_for_parts();
    (asking, public, document.merge_from(public_document))
}

/// The webhooks, which ask for a signature and not for a token.
fn hooks() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(hooks::flux::cluster::own))
        .routes(routes!(hooks::flux::cluster::named))
        .routes(routes!(hooks::flux::environment))
        .routes(routes!(hooks::flux::target))
        .routes(routes!(hooks::forge::post))
        .routes(routes!(hooks::wake::post))
}

/// The same without the document.
pub(crate) fn hook_routes() -> Router<Arc<App>> {
    let (router, _document) = hooks().split_for_parts();
    router
}

/// The document that describes the API, in JSON.
pub fn openapi_json() -> String {
    let (_, _, document) = routes();
    // The document is made of strings and maps of strings: it can always be written.
    let mut json = document.to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

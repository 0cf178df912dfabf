//! The webhooks at an address of their own, which others may reach while the API stays where it is.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{ServerError, ServerTls, around, connection, no_such_method, no_such_path};
use crate::api;
use crate::app::App;
use crate::weave::{BindAddress, take};

/// An address for the webhooks alone.
#[derive(Debug)]
pub struct HooksListener {
    /// The address to listen on. What comes there has to be signed, unless only this machine can reach it and no key is set.
    pub listen: BindAddress,
    /// What it proves with who it is; plain HTTP without.
    pub tls: Option<ServerTls>,
}

/// The address is taken, and nobody is answered yet.
pub(super) struct HooksBound {
    listener: TcpListener,
    tls: Option<ServerTls>,
    app: Arc<App>,
}

impl HooksBound {
    pub(super) async fn bind(
        options: HooksListener,
        app: impl FnOnce(SocketAddr) -> App,
    ) -> Result<Self, ServerError> {
        let (listener, listens_on) = take(options.listen).await?;
        Ok(Self { listener, tls: options.tls, app: Arc::new(app(listens_on)) })
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.app.listens_on
    }

    pub(super) async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, tls, app } = self;
        let router: Router = api::hook_routes()
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method)
            .layer(from_fn_with_state(app.clone(), around))
            .with_state(app.clone());
        let (stop, _stopped) = watch::channel(false);
        connection::serve_all(&listener, tls.as_ref(), |_peer| router.clone(), &app.limits, stop, shutdown)
            .await;
    }
}

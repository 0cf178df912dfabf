//! What a notification's Secret holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gradus_core::notification::Notification;
use gradus_engine::port::{PortError, PortErrorKind};

use crate::Secret;
use crate::targets::EndpointSecrets;

/// The values of a Secret.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    pub(super) address: Option<Secret>,
    pub(super) token: Option<Secret>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    /// No secret: certificates of authorities.
    pub(super) ca: Option<String>,
}

impl Keys {
    /// Reads the Secret that a notification names; nothing where it names none.
    pub(super) fn read(secrets: &dyn EndpointSecrets, of: &Notification) -> Result<Self, PortError> {
        let Some(name) = of.to.secret() else { return Ok(Self::default()) };
        let whose = format!("notification {}", of.key);
        let value = |key| secrets.value(name, key, &whose);
        Ok(Self {
            address: value("address")?.map(Secret::new),
            token: value("token")?.map(Secret::new),
            username: value("username")?,
            password: value("password")?.map(Secret::new),
            ca: value("caFile")?,
        })
    }

    /// The address, which has to be there.
    pub(super) fn address(&self, of: &Notification) -> Result<&Secret, PortError> {
        self.address.as_ref().ok_or_else(|| lacks(of, "address"))
    }

    /// The `Authorization` header, if there is something to put into it.
    pub(super) fn authorization(&self) -> Option<Secret> {
        match (&self.token, &self.username, &self.password) {
            (Some(token), _, _) => Some(Secret::new(format!("Bearer {}", token.expose()))),
            (None, Some(user), Some(password)) => Some(Secret::new(format!(
                "Basic {}",
                STANDARD.encode(format!("{user}:{}", password.expose()))
            ))),
            (None, _, _) => None,
        }
    }

    /// A text in which none of the secrets stands any more.
    pub(super) fn blot(&self, text: &str) -> String {
        let secrets = [&self.address, &self.token, &self.password];
        secrets.into_iter().flatten().fold(text.to_owned(), |text, secret| secret.blot(&text))
    }
}

/// The Secret is there, and what is needed is not in it.
pub(super) fn lacks(of: &Notification, key: &str) -> PortError {
    let name = of.to.secret().map_or("", |name| name);
    let doing = format!("reading the Secret {name} of notification {}", of.key);
    PortError::because(PortErrorKind::Missing, doing, format!("it has no `{key}`"))
        .with_hint(format!("put `{key}` into it"))
}

//! Who asks, and what they may do.

mod caller;
mod guard;
mod role;
mod secret;
mod store;
mod tokens;

pub use role::{Deed, Role};
pub use secret::TokenSecret;
pub use tokens::{NewToken, TokenError, TokenErrorKind, TokenInfo, Tokens};

pub(crate) use caller::{Caller, identify};
pub(crate) use guard::{guard, same_machine};

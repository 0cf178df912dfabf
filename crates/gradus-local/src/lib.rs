//! Keeps the ledger and is the forge where there is none.
//!
//! [`SqliteLedger`] is the record of what was said and done, in one SQLite file.
//! [`LocalForge`] keeps the proposals of repositories that have no forge in the
//! same file. [`DataDirLock`] keeps two long-running processes from using the
//! same data directory. [`FileShelf`] keeps what can be found again.

mod data_dir;
mod forge;
mod ledger;
mod shelf;
mod store;

pub use data_dir::{DataDirLock, ledger_file};
pub use forge::{LocalForge, ProposalInfo, ProposalState};
pub use ledger::{Message, SqliteLedger};
pub use shelf::FileShelf;
pub use store::Settings;

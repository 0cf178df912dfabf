//! Reads and writes a Git repository over the wire, without a clone.
//!
//! [`Remote`] speaks protocol version 2 over `https://`, `http://`, `ssh://` and `file://`. It asks for a commit, for the
//! trees on the way to the wanted files and for these files, and for nothing else; it builds new objects in memory and sends them
//! with the branch's old value, so that of two writers one wins and the other is told. Nothing is written to disk.
//!
//! A host that cannot give single objects is read by [`Way::Mirror`]: whole commits, kept in memory.
//!
//! Every object is known by the id computed from its own bytes, every answer is bounded ([`Limits`]), and every
//! operation ends within its time.

mod attributes;
mod below;
mod capabilities;
mod delta;
mod error;
mod fetch;
mod gather;
mod glob;
mod history;
mod http;
mod list;
mod look;
mod lru;
mod merge;
mod merge_base;
mod mirror;
mod name;
mod object;
mod options;
mod pack;
mod pack_writer;
mod pkt;
mod prepare;
mod private_key;
mod process;
mod push;
mod read;
mod refs;
mod remote;
mod session;
mod signing;
mod ssh;
mod stream;
mod sweep;
mod transport;
mod tree;
mod walk;
mod way;

pub use error::{GitError, GitErrorKind};
pub use history::{History, HistoryEnd, HistoryEntry};
pub use list::Listed;
pub use look::{Looked, Onlooker, Shown};
pub use merge::{Both, Entry, Merged};
pub use name::{BranchName, RemoteUrl, RepoPath};
pub use object::{Mode, ObjectId, Signature};
pub use options::{Credentials, Limits, RemoteOptions, SshKey};
pub use prepare::{Change, CommitMeta, Content, Preparation, Prepared};
pub use push::Pushed;
pub use read::File;
pub use remote::{Remote, Traffic};
pub use signing::SigningKey;
pub use ssh::SshFault;
pub use way::{Capabilities, Receiving, Way};

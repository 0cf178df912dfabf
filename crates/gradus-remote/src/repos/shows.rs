//! What the wire client shows, in the engine's words.

use std::sync::Arc;

use gradus_engine::port::repo::{ContentId, FolderEntry, Onlooker};

use crate::git::{self, Mode, ObjectId, Shown};

/// Shows to the engine what is shown here.
pub(super) struct Shows(pub(super) Arc<dyn Onlooker>);

fn content(id: ObjectId) -> ContentId {
    ContentId::new(*id.as_bytes())
}

impl git::Onlooker for Shows {
    fn knows(&self, folder: ObjectId) -> bool {
        self.0.knows(content(folder))
    }

    fn wants_files(&self) -> bool {
        self.0.wants_files()
    }

    fn folder(&self, id: ObjectId, entries: &[Shown<'_>]) {
        let entries = entries.iter().map(|entry| FolderEntry {
            name: entry.name,
            id: content(entry.id),
            is_folder: entry.mode == Mode::Folder,
        });
        self.0.folder(content(id), &entries.collect::<Vec<_>>());
    }

    fn file(&self, id: ObjectId, bytes: &[u8]) {
        self.0.file(content(id), bytes);
    }
}

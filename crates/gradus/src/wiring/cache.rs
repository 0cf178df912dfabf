//! Where is kept what can be found again.

use std::path::PathBuf;
use std::sync::Arc;

use gradus_engine::port::Shelf;
use gradus_local::FileShelf;

/// Where is kept what can be found again.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct CacheArgs {
    /// Folder for what is known of repositories. It may be deleted at any time, and shared by several processes.
    #[arg(long, value_name = "DIR", env = "GRADUS_CACHE")]
    pub(crate) cache_dir: Option<PathBuf>,
}

impl CacheArgs {
    /// The folder that was named; else the one that users have for such things, if there is one.
    pub(crate) fn shelf(&self) -> Option<Arc<dyn Shelf>> {
        shelf(self.cache_dir.clone().or_else(of_the_user))
    }

    /// The folder that was named, and no other.
    pub(crate) fn named_shelf(&self) -> Option<Arc<dyn Shelf>> {
        shelf(self.cache_dir.clone())
    }
}

fn shelf(folder: Option<PathBuf>) -> Option<Arc<dyn Shelf>> {
    folder.map(|folder| Arc::new(FileShelf::new(folder)) as Arc<dyn Shelf>)
}

fn of_the_user() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    cache.map(|cache| cache.join("gradus"))
}

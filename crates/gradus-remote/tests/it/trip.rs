//! Where a process is killed: at one stop of many.
//!
//! Servers stop before they do what is asked and before they answer. Whoever is asked at the stop that was chosen
//! never goes on, and the process that asked is to be dropped where it is.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

pub(crate) struct Trip {
    left: AtomicI64,
    fired: Notify,
}

impl Default for Trip {
    fn default() -> Self {
        Self { left: AtomicI64::new(i64::MAX), fired: Notify::new() }
    }
}

impl Trip {
    /// Fires at the stop after so many.
    pub(crate) fn after(&self, stops: u64) {
        self.left.store(i64::try_from(stops).unwrap(), Ordering::SeqCst);
    }

    /// Does not fire any more.
    pub(crate) fn off(&self) {
        self.left.store(i64::MAX, Ordering::SeqCst);
    }

    /// A stop of a server.
    pub(crate) async fn stop(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.fired.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// When it has fired.
    pub(crate) async fn fired(&self) {
        self.fired.notified().await;
    }
}

//! Parts that stop.

use super::ControlPlane;
use crate::{Paused, TestbedError, TestbedErrorKind};

impl ControlPlane {
    /// Kills kube-apiserver. What it answered stays in etcd; watches break off, and
    /// from now on connections are refused.
    pub fn stop_apiserver(&self) {
        // Dropping a part kills it.
        drop(self.parts().apiserver.take());
    }

    /// Lets kube-apiserver hang: connections are made, and nothing is answered.
    pub fn pause_apiserver(&self) -> Result<Paused, TestbedError> {
        match &self.parts().apiserver {
            Some(part) => part.pause(),
            None => Err(TestbedError::new(
                TestbedErrorKind::Machine,
                "could not pause kube-apiserver: it is stopped",
            )),
        }
    }

    /// Lets etcd hang: kube-apiserver answers from its memory what it may, and fails
    /// or hangs with the rest.
    pub fn pause_etcd(&self) -> Result<Paused, TestbedError> {
        self.parts().etcd.pause()
    }
}

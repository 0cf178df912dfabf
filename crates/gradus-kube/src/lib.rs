//! Turns custom resources and workloads into pipelines and observations, and
//! reports into status.

pub mod clusters;
pub mod watch;

//! Turns custom resources and workloads into pipelines and observations, and
//! reports into status.

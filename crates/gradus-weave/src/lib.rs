//! The contract of `pipelines.weave.works`: its kind, its webhook, its rules and
//! the words of its answers, without the server or the cluster behind them.

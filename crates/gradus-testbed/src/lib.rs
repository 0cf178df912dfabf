//! Starts real parts for tests: etcd and kube-apiserver, and what belongs to them.

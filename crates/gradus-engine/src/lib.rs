//! Looks, plans, acts: owns the ports, the queue and the lease.

pub mod port;

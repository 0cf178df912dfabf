//! One leader among replicas, by a Lease (coordination.k8s.io/v1).
//!
//! Every change of the Lease names the resource version it replaces, so that two
//! replicas never both take it. A clock on another machine is not believed: a
//! Lease has run out when this replica has seen it unchanged for as long as it
//! lasts. What a leader writes to Git is compare-and-set besides, so that one
//! that was the leader a moment ago can do no harm.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How the Lease is held.
#[derive(Debug, Clone)]
pub struct LeaseOptions {
    /// The namespace it is in.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// Who this replica is; no other may have the same.
    pub identity: String,
    /// How long it lasts without being renewed.
    pub lasts: Duration,
    /// How often it is renewed, or looked at by those who wait for it.
    pub renew: Duration,
}

impl LeaseOptions {
    /// A Lease of fifteen seconds, renewed every five.
    pub fn new(namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: identity.to_owned(),
            lasts: Duration::from_secs(15),
            renew: Duration::from_secs(5),
        }
    }
}

/// What was last seen of the Lease, and since when it is unchanged.
struct Last {
    lease: Option<Lease>,
    changed: Instant,
}

/// Tries to hold the Lease until told to stop, and says in `leading` whether it
/// does.
pub async fn hold(
    client: Client,
    options: LeaseOptions,
    leading: watch::Sender<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let leases: Api<Lease> = Api::namespaced(client, &options.namespace);
    let mut last = Last { lease: None, changed: Instant::now() };
    let mut renewed: Option<Instant> = None;
    loop {
        let begun = Instant::now();
        // A call that hangs must not keep this replica in the belief that it leads.
        let held = match timeout(options.renew, take(&leases, &options, &mut last)).await {
            Ok(Ok(held)) => held.then_some(begun),
            Ok(Err(error)) => {
                tracing::warn!(error = %Causes(&error), lease = options.name, "the lease could not be renewed");
                renewed
            }
            Err(_) => {
                tracing::warn!(lease = options.name, "renewing the lease takes too long");
                renewed
            }
        };
        renewed = held.filter(|at| at.elapsed() + options.renew < options.lasts);
        let leads = renewed.is_some();
        leading.send_if_modified(|before| {
            if *before != leads {
                tracing::info!(
                    lease = options.name,
                    identity = options.identity,
                    leads,
                    "leadership changed"
                );
            }
            std::mem::replace(before, leads) != leads
        });
        tokio::select! {
            () = sleep(options.renew) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
}

/// Gives the Lease back, if this replica holds it.
pub async fn give_back(client: Client, options: &LeaseOptions) {
    let leases: Api<Lease> = Api::namespaced(client, &options.namespace);
    let given_back = async {
        let Some(mut lease) = leases.get_opt(&options.name).await? else { return Ok(()) };
        if holder(&lease) != Some(options.identity.as_str()) {
            return Ok(());
        }
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
        }
        leases.replace(&options.name, &PostParams::default(), &lease).await.map(drop)
    };
    match timeout(options.renew, given_back).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = Causes::<kube::Error>(&error);
            tracing::info!(%error, lease = options.name, "the lease was not given back; it runs out by itself");
        }
        Err(_) => tracing::info!(
            lease = options.name,
            "the lease was not given back in time; it runs out by itself"
        ),
    }
}

/// Takes or renews the Lease, if nobody else holds it.
async fn take(leases: &Api<Lease>, options: &LeaseOptions, last: &mut Last) -> Result<bool, kube::Error> {
    let seen = leases.get_opt(&options.name).await?;
    let version =
        |lease: &Option<Lease>| lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
    if version(&seen) != version(&last.lease) || last.lease.is_none() {
        *last = Last { lease: seen.clone(), changed: Instant::now() };
    }
    let now = MicroTime(Timestamp::now());
    let wanted = |transitions: i32, acquired: MicroTime| LeaseSpec {
        holder_identity: Some(options.identity.clone()),
        lease_duration_seconds: i32::try_from(options.lasts.as_secs()).ok(),
        acquire_time: Some(acquired),
        renew_time: Some(now.clone()),
        lease_transitions: Some(transitions),
        ..LeaseSpec::default()
    };
    let Some(lease) = seen else {
        let metadata = ObjectMeta { name: Some(options.name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(wanted(0, now.clone())) };
        return taken(leases.create(&PostParams::default(), &lease).await, last);
    };
    let spec = lease.spec.clone().unwrap_or_default();
    let transitions = spec.lease_transitions.unwrap_or(0);
    let spec = match holder(&lease) {
        Some(holder) if holder == options.identity => {
            wanted(transitions, spec.acquire_time.unwrap_or_else(|| now.clone()))
        }
        Some(_) if last.changed.elapsed() < lasts(&lease, options) => return Ok(false),
        Some(_) | None => wanted(transitions.saturating_add(1), now.clone()),
    };
    let lease = Lease { spec: Some(spec), ..lease };
    taken(leases.replace(&options.name, &PostParams::default(), &lease).await, last)
}

/// Somebody who was faster holds it now.
fn taken(written: Result<Lease, kube::Error>, last: &mut Last) -> Result<bool, kube::Error> {
    match written {
        Ok(lease) => {
            *last = Last { lease: Some(lease), changed: Instant::now() };
            Ok(true)
        }
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

fn lasts(lease: &Lease, options: &LeaseOptions) -> Duration {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(options.lasts, Duration::from_secs)
}

/// An error with its causes, in one line.
pub(crate) struct Causes<'a, E>(pub(crate) &'a E);

impl<E: std::error::Error> std::fmt::Display for Causes<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

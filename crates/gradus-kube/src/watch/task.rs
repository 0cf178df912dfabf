//! What one watch does all day: list, watch, lose the connection, begin again.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::home::{Shared, Watch};
use super::read::{Event, Source};
use super::sight::{Blind, BlindKind};
use super::table::{Hearers, Table};
use super::wanted::ObjectName;
use super::{WatchOptions, no_cluster};
use crate::clusters::wire::{Fault, FaultKind};
use crate::clusters::{Connection, Way};

/// The first wait after a failure.
const SOONEST: Duration = Duration::from_millis(500);
/// How long wishes for more are collected before everything is listed again.
const TOGETHER: Duration = Duration::from_millis(100);
/// For how long they are collected at most.
const GATHERED: Duration = Duration::from_secs(5);
/// A watch that lasted this long worked.
const WORKED: Duration = Duration::from_secs(5);
/// How many objects are got by name at the same time.
const GETS: usize = 8;
/// The page that is tried when one is too big.
const SMALL_PAGE: u32 = 5;

/// Watches until it is ended from outside.
pub(super) async fn run(watch: Arc<Watch>, shared: Weak<Shared>) {
    let mut link = watch.lease().follow();
    let mut server: Option<Arc<str>> = None;
    loop {
        let now = link.borrow_and_update().clone();
        match now.way {
            Way::NotYet => {}
            Way::Down(trouble) => {
                let Some(shared) = shared.upgrade() else { return };
                everybody_if(&shared, &watch, |table| table.fail(no_cluster(trouble)));
            }
            Way::Up(connection) => {
                if server.as_ref().is_some_and(|before| *before != connection.server) {
                    let Some(shared) = shared.upgrade() else { return };
                    everybody_if(&shared, &watch, Table::forget);
                }
                server = Some(connection.server.clone());
                let mut serving = pin!(Serving::new(&watch, &shared, &connection).serve());
                loop {
                    tokio::select! {
                        () = &mut serving => return,
                        changed = link.changed() => if changed.is_err() { return },
                    }
                    let same = match &link.borrow_and_update().way {
                        Way::Up(other) => other.is(&connection),
                        Way::NotYet | Way::Down(_) => false,
                    };
                    if !same {
                        break;
                    }
                    // Who may see the cluster changed, and nothing else.
                    let Some(shared) = shared.upgrade() else { return };
                    everybody_if(&shared, &watch, |_| true);
                }
                watch.table().abandon_list();
                continue;
            }
        }
        if link.changed().await.is_err() {
            return;
        }
    }
}

/// Changes what is known, and tells everybody if that says so.
fn everybody_if(shared: &Shared, watch: &Watch, change: impl FnOnce(&mut Table) -> bool) {
    let hearers = {
        let mut table = watch.table();
        if change(&mut table) { table.everybody() } else { Hearers::new() }
    };
    shared.tell_of_sight(watch, &hearers);
}

/// How one watch goes on with one client.
struct Serving<'a> {
    watch: &'a Arc<Watch>,
    shared: &'a Weak<Shared>,
    connection: &'a Connection,
    /// What the next watch request goes on from.
    position: Option<String>,
    attempt: u32,
    /// Since when the watch request is under way.
    stands: Option<Instant>,
}

/// Why a look at the cluster ended.
enum Ended {
    /// The request is over, as it should be after a while.
    Over,
    /// Everything has to be listed again.
    ListAgain,
    /// It failed.
    Failed(Fault),
    /// Nobody is there any more.
    Alone,
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl<'a> Serving<'a> {
    fn new(watch: &'a Arc<Watch>, shared: &'a Weak<Shared>, connection: &'a Connection) -> Self {
        Self { watch, shared, connection, position: None, attempt: 0, stands: None }
    }

    async fn serve(mut self) {
        loop {
            self.stands = None;
            let ended = match self.look().await {
                Ok(ended) | Err(ended) => ended,
            };
            let worked = self.stands.is_some_and(|since| since.elapsed() >= WORKED);
            if worked {
                self.attempt = 0;
            }
            let Some(shared) = self.shared.upgrade() else { return };
            let options = *shared.options();
            let wait = match ended {
                Ended::Alone => return,
                Ended::ListAgain => {
                    self.position = None;
                    // Whoever wants more comes with others who do.
                    TOGETHER
                }
                // A server that ends every watch at once is not asked without a pause.
                Ended::Over if worked => continue,
                Ended::Over => self.backoff(&options),
                Ended::Failed(fault) => self.after(&shared, fault, &options),
            };
            drop(shared);
            tokio::time::sleep(wait).await;
        }
    }

    /// What a failure means, and how long to wait.
    fn after(&mut self, shared: &Arc<Shared>, fault: Fault, options: &WatchOptions) -> Duration {
        self.watch.failed();
        self.watch.table().abandon_list();
        let key = self.watch.key();
        let mut slow = Duration::ZERO;
        let (kind, what) = match fault.kind {
            FaultKind::Gone => {
                self.position = None;
                return self.backoff(options);
            }
            FaultKind::NotFound | FaultKind::NotServed => {
                self.connection.served.forget(&key.kind);
                self.position = None;
                slow = options.not_served;
                (BlindKind::NotServed, "the kind is not served")
            }
            FaultKind::Forbidden if key.namespace.is_none() && shared.narrow(&key.place, &key.kind) => {
                return Duration::ZERO;
            }
            FaultKind::Forbidden => {
                slow = options.slowest;
                (BlindKind::Unreachable, "access denied")
            }
            FaultKind::Unauthorized => {
                // The kubeconfig may have been replaced.
                self.watch.lease().look_again();
                (BlindKind::Unreachable, "the credentials are refused")
            }
            FaultKind::Unreachable => (BlindKind::Unreachable, "no answer"),
            FaultKind::Refused => (BlindKind::Unreachable, "refused"),
            FaultKind::Broken => {
                self.position = None;
                (BlindKind::Unreachable, "a broken answer")
            }
        };
        let kind_words = super::kind_words(&key.kind);
        let why = format!("watching {kind_words} in {}: {what}: {}", key.place, fault.message);
        tracing::debug!(%why, "a watch failed");
        let since = Some(shared.clusters().clock().now());
        let blind = Blind { kind, why: why.into(), since };
        let until = shared.uptime() + options.believed;
        match fault.kind {
            // What is not served any more is known to be gone at once.
            FaultKind::NotFound | FaultKind::NotServed => {
                everybody_if(shared, self.watch, |table| table.fail(blind));
            }
            FaultKind::Unreachable
            | FaultKind::Unauthorized
            | FaultKind::Forbidden
            | FaultKind::Gone
            | FaultKind::Refused
            | FaultKind::Broken => everybody_if(shared, self.watch, |table| table.stumble(blind, until)),
        }
        self.backoff(options).max(slow)
    }

    /// The wait before the next try: longer each time, and not the same for all watches.
    fn backoff(&mut self, options: &WatchOptions) -> Duration {
        let wait = SOONEST.saturating_mul(1 << self.attempt.min(16)).min(options.slowest);
        self.attempt = self.attempt.saturating_add(1);
        let mut hasher = DefaultHasher::new();
        (self.watch.key(), self.attempt).hash(&mut hasher);
        let share = u32::try_from(hasher.finish() % 50).unwrap_or(0);
        wait - wait * share / 100
    }

    /// Lists if there is nothing to go on from, then watches until that ends.
    async fn look(&mut self) -> Result<Ended, Ended> {
        let key = self.watch.key();
        let resource = self.connection.served.find(&self.connection.client, &key.kind).await?;
        let source = Source { client: &self.connection.client, resource: &resource, watch: self.watch };
        let position = match self.position.clone() {
            Some(position) => position,
            None => {
                self.gather_wishes().await;
                self.list(&source).await?
            }
        };
        self.position = Some(position.clone());
        let lasts = self.shared()?.options().lasts;
        let mut events = source.watch(&position, lasts).await?;
        self.stands = Some(Instant::now());
        everybody_if(&*self.shared()?, self.watch, Table::stand);
        let mut gets = FuturesUnordered::new();
        loop {
            let wishes = {
                let table = self.watch.table();
                if table.to_list() {
                    return Ok(Ended::ListAgain);
                }
                table.to_get()
            };
            let asked = gets.len();
            // One at a time is taken up anew: an answer may have come by the watch meanwhile.
            if asked == 0 {
                for name in wishes.into_iter().take(GETS) {
                    self.watch.got();
                    gets.push(async move { (source.one(&name).await, name) });
                }
            }
            tokio::select! {
                event = events.next(&source) => {
                    let Some((event, position)) = event? else { return Ok(Ended::Over) };
                    self.take(event)?;
                    if let Some(position) = position.filter(|position| !position.is_empty()) {
                        self.position = Some(position);
                    }
                }
                Some((answer, name)) = gets.next(), if !gets.is_empty() => {
                    let found = match answer {
                        // What may be listed and not be got is seen in the list.
                        Err(fault) if fault.kind == FaultKind::Forbidden => return Ok(Ended::ListAgain),
                        other => other?,
                    };
                    let hearers = self.watch.table().answer(&name, found);
                    self.shared()?.tell_of_object(self.watch, &name, &hearers);
                }
                () = self.watch.poke.notified() => {}
            }
        }
    }

    /// Waits while ever more objects are wanted. Those that are wanted only after a list
    /// began are asked for one by one, which for thousands takes much longer.
    async fn gather_wishes(&self) {
        let begun = Instant::now();
        let mut before = 0;
        loop {
            let wanted = self.watch.table().wanted();
            if wanted == before || begun.elapsed() > GATHERED {
                return;
            }
            before = wanted;
            tokio::time::sleep(TOGETHER).await;
        }
    }

    fn take(&self, event: Event) -> Result<(), Ended> {
        let (name, hearers) = match event {
            Event::Mark => return Ok(()),
            Event::There(arrival) => {
                let name = arrival.name.clone();
                (name, self.watch.table().arrive(arrival))
            }
            Event::Gone(name, version) => {
                let hearers = self.watch.table().leave(&name, version);
                (name, hearers)
            }
        };
        self.shared()?.tell_of_object(self.watch, &name, &hearers);
        Ok(())
    }

    async fn list(&self, source: &Source<'_>) -> Result<String, Ended> {
        self.watch.listed();
        self.watch.table().begin_list();
        let mut limit = self.shared()?.options().page;
        let mut next: Option<String> = None;
        let position = loop {
            let page = match source.page(next.as_deref(), limit).await {
                Err(fault) if fault.kind == FaultKind::Broken && limit > SMALL_PAGE => {
                    limit = SMALL_PAGE;
                    continue;
                }
                other => other?,
            };
            {
                let mut table = self.watch.table();
                for arrival in page.arrivals {
                    let _nobody_hears_yet = table.arrive(arrival);
                }
            }
            match page.next {
                Some(more) => next = Some(more),
                None => break page.position,
            }
        };
        if position.is_empty() {
            return Err(Fault::new(FaultKind::Broken, "the list has no resource version").into());
        }
        let (changed, everybody): (Vec<(ObjectName, Hearers)>, Hearers) = {
            let mut table = self.watch.table();
            let (changed, was_blind) = table.end_list();
            (changed, if was_blind { table.everybody() } else { Hearers::new() })
        };
        let shared = self.shared()?;
        shared.tell_of_sight(self.watch, &everybody);
        for (name, hearers) in changed {
            let rest: Hearers = hearers.difference(&everybody).cloned().collect();
            shared.tell_of_object(self.watch, &name, &rest);
        }
        Ok(position)
    }

    fn shared(&self) -> Result<Arc<Shared>, Ended> {
        self.shared.upgrade().ok_or(Ended::Alone)
    }
}

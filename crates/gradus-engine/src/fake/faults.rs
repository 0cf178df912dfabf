//! What goes wrong, and when.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::port::{PortError, PortErrorKind};

/// A stop in a call to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Which call, counted from 0.
    pub call: u64,
    /// What is asked, such as `repo.commit`.
    pub what: &'static str,
    /// Before its effect or after it.
    pub moment: Moment,
    /// Whether it changes anything.
    pub writes: bool,
}

/// Before the effect of a call or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing has happened yet.
    Before,
    /// It has happened, and the caller does not know it yet.
    After,
}

/// What goes wrong at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The call fails. Before its effect it was not reached; after it, a write's outcome is unknown.
    Fail,
    /// It takes this many stops more.
    Delay(u32),
}

type Director = Box<dyn FnMut(&Point) -> Fault + Send>;

/// Says what goes wrong at each stop of the calls to a set of fakes. Clones are the same.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: u64,
    director: Option<Director>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks at every stop.
    pub fn directed(director: impl FnMut(&Point) -> Fault + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State { calls: 0, director: Some(Box::new(director)) })))
    }

    /// The call of this number fails, before its effect or after it.
    pub fn failing_once(call: u64, moment: Moment) -> Self {
        let fails = move |point: &Point| point.call == call && point.moment == moment;
        Self::directed(move |point| if fails(point) { Fault::Fail } else { Fault::None })
    }

    /// From now on nothing goes wrong any more.
    pub fn stop(&self) {
        self.lock().director = None;
    }

    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// A call begins.
    pub(super) fn call(&self, what: &'static str, writes: bool) -> Call<'_> {
        let mut state = self.lock();
        let call = state.calls;
        state.calls += 1;
        drop(state);
        Call { faults: self, call, what, writes }
    }

    fn at(&self, point: &Point) -> Fault {
        self.lock().director.as_mut().map_or(Fault::None, |director| director(point))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is under way.
pub(super) struct Call<'a> {
    faults: &'a Faults,
    call: u64,
    what: &'static str,
    writes: bool,
}

impl Call<'_> {
    /// The stop before the effect.
    pub(super) async fn before(&self) -> Result<(), PortError> {
        self.stop(Moment::Before).await
    }

    /// The stop after the effect.
    pub(super) async fn after(&self) -> Result<(), PortError> {
        self.stop(Moment::After).await
    }

    /// A call that cannot wait.
    pub(super) fn at_once(&self) -> Result<(), PortError> {
        match self.faults.at(&self.point(Moment::Before)) {
            Fault::Fail => Err(self.error(Moment::Before)),
            Fault::None | Fault::Delay(_) => Ok(()),
        }
    }

    async fn stop(&self, moment: Moment) -> Result<(), PortError> {
        Pause(1).await;
        match self.faults.at(&self.point(moment)) {
            Fault::None => Ok(()),
            Fault::Fail => Err(self.error(moment)),
            Fault::Delay(stops) => {
                Pause(stops).await;
                Ok(())
            }
        }
    }

    fn point(&self, moment: Moment) -> Point {
        Point { call: self.call, what: self.what, moment, writes: self.writes }
    }

    fn error(&self, moment: Moment) -> PortError {
        let kind = match (moment, self.writes) {
            (Moment::After, true) => PortErrorKind::OutcomeUnknown,
            (Moment::After, false) | (Moment::Before, _) => PortErrorKind::Unreachable,
        };
        PortError::new(kind, format!("call {} to {}", self.call, self.what))
    }
}

/// Lets others go first, this many times.
struct Pause(u32);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.0.checked_sub(1) {
            None => Poll::Ready(()),
            Some(left) => {
                self.0 = left;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

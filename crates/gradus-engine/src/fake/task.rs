//! A future that is polled by hand.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A future that is polled by hand, one stop at a time. Dropping it is a crash.
pub struct Task<T> {
    future: Pin<Box<dyn Future<Output = T> + Send>>,
}

impl<T> Task<T> {
    /// A task that has not begun.
    pub fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { future: Box::pin(future) }
    }

    /// Goes on to the next stop. `Some` at the end, after which it must not be polled again.
    pub fn step(&mut self) -> Option<T> {
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    /// Goes on to the end, or to this many stops; `None` if it did not end.
    pub fn finish(mut self, stops: usize) -> Option<T> {
        (0..stops).find_map(|_| self.step())
    }
}

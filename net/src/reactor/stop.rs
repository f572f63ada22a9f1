//! The end of a reactor: listeners close, output is flushed for a bounded time, and the kernel gives everything back.

use std::time::Duration;

use super::Reactor;
use super::connection::Phase;
use super::io::Io;
use crate::clock::Monotonic;
use crate::error::RingError;
use crate::ring::{Completion, Operation, WaitPlan};
use crate::service::Service;

/// Longest wait for the kernel to give back what was cancelled, per try.
const QUIESCE_WAIT: Duration = Duration::from_millis(100);
/// Tries before memory is leaked instead of freed.
const QUIESCE_TRIES_MAX: usize = 20;

impl<S: Service> Reactor<S> {
    /// Closes every connection after its output, aborts those that take longer than the grace, and quiets the ring.
    pub(super) fn wind_down(&mut self, service: &mut S) -> Result<(), RingError> {
        self.io.close_acceptor()?;
        for id in self.io.table.ids().collect::<Vec<_>>() {
            self.io.close(id);
        }
        let deadline = self.io.now.after(self.io.options.stop_grace);
        loop {
            self.carry_out(service)?;
            if self.io.table.used() == 0 {
                break;
            }
            let left = deadline.since(self.io.now);
            if left.is_zero() {
                self.drop_all()?;
                self.carry_out(service)?;
            }
            let timeout = Some(left.max(Duration::from_millis(1)));
            self.io.ring.enter(WaitPlan { want: 1, timeout, min_wait_us: 0 })?;
            self.io.now = Monotonic::now();
            self.io.expire()?;
            self.reap(service)?;
        }
        self.io.quiesce()?;
        self.io.acceptor.forget_listeners();
        Ok(())
    }

    fn drop_all(&mut self) -> Result<(), RingError> {
        for id in self.io.table.ids().collect::<Vec<_>>() {
            self.io.abort(id);
            if self.io.table.get(id).is_some_and(|connection| connection.phase == Phase::Lingering) {
                self.io.end(id)?;
            }
        }
        Ok(())
    }
}

impl<M: Send> Io<M> {
    /// Cancels whatever still runs and waits until the kernel has answered for all of it. False when it did not.
    pub(super) fn quiesce(&mut self) -> Result<bool, RingError> {
        let mut batch = Vec::new();
        for _ in 0..QUIESCE_TRIES_MAX {
            let settled = self.ring.reap(&mut batch)?;
            for completion in batch.drain(..) {
                self.swallow(completion)?;
            }
            if let Some(settled) = settled {
                self.land_silent(settled)?;
            }
            if self.ring.running() == 0 && settled.is_some() {
                return Ok(true);
            }
            self.ring.cancel_everything()?;
            self.ring.enter(WaitPlan { want: 1, timeout: Some(QUIESCE_WAIT), min_wait_us: 0 })?;
        }
        Ok(false)
    }

    fn swallow(&mut self, completion: Completion) -> Result<(), RingError> {
        match completion.operation() {
            Operation::Send | Operation::SendOptimistic => self.send_completed(&completion)?,
            // A descriptor accepted this late is closed.
            Operation::Accept => drop(completion.into_accepted()),
            // A buffer filled this late is not needed again.
            Operation::Receive | Operation::ReceiveBulk => drop(completion.into_filled()),
            Operation::Doorbell | Operation::Cancel => {}
        }
        Ok(())
    }
}

impl<S: Service> Drop for Reactor<S> {
    fn drop(&mut self) {
        if !matches!(self.io.quiesce(), Ok(true)) {
            self.buffers.leak();
            self.bulk_buffers.leak();
        }
    }
}

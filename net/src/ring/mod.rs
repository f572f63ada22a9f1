//! One io_uring: set-up, requests in, completions out.
//!
//! Invariants that everything above relies on:
//! - A request's memory belongs to `buffers` ([`crate::buffers::Outgoing`], [`crate::buffers::ProvidedBuffers`]) until its
//!   completion arrives; a successful *optimistic* send has none and is known to be done when [`Ring::reap`] returns
//!   [`Settled`].
//! - A descriptor stays open while a request that names it is queued or running.
//! - `running` counts the requests that still owe a last completion; at zero the kernel holds nothing of ours.

mod completion;
mod operation;
mod requests;
mod setup;
pub(crate) mod system;

use std::io;
use std::time::Duration;

use io_uring::{IoUring, squeue, types};

use crate::error::RingError;

pub(crate) use completion::{Completion, Errno, Filled, Settled};
pub(crate) use operation::Operation;
pub(crate) use requests::SendMode;
pub(crate) use setup::{explain, open};

/// The provided buffers that multishot receives fill.
pub(crate) const BUFFER_GROUP: u16 = 0;

/// The provided buffers that receives in bulk fill.
pub(crate) const BULK_BUFFER_GROUP: u16 = 1;

/// How the ring waits in [`Ring::enter`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitPlan {
    /// Completions to wait for; 0 does not wait.
    pub want: usize,
    /// Longest wait; `None` waits until something happens.
    pub timeout: Option<Duration>,
    /// Collect up to `want` completions for this many microseconds before the first one wakes us; 0 switches it off.
    pub min_wait_us: u32,
}

/// The ring of one core. Stays on the thread that made it.
pub(crate) struct Ring {
    inner: IoUring,
    /// Requests that still owe a last completion.
    running: usize,
    /// Completions taken early, to make room while requests were queued.
    early: Vec<Completion>,
    enters: u64,
    /// Single issuer: the ring must not leave its thread.
    _thread: std::marker::PhantomData<*const ()>,
}

impl Ring {
    /// Opens a ring with room for `submissions` requests and `completions` answers (powers of two).
    pub fn new(submissions: u32, completions: u32) -> Result<Self, RingError> {
        let inner = open(submissions, completions)?;
        Ok(Self { inner, running: 0, early: Vec::new(), enters: 0, _thread: std::marker::PhantomData })
    }

    /// Requests that still owe a last completion.
    pub fn running(&self) -> usize {
        self.running
    }

    /// `io_uring_enter` calls so far.
    pub fn enters(&self) -> u64 {
        self.enters
    }

    /// Whether the kernel can collect completions before it wakes us.
    pub fn has_min_wait(&self) -> bool {
        self.inner.params().is_feature_min_timeout()
    }

    /// The submitter, for registrations.
    pub fn submitter(&self) -> io_uring::Submitter<'_> {
        self.inner.submitter()
    }

    /// Whether completions wait to be reaped, or work waits for an `enter` to produce them.
    pub fn has_completions(&mut self) -> bool {
        let (_, submission, completion) = self.inner.split();
        !self.early.is_empty() || !completion.is_empty() || submission.taskrun() || submission.cq_overflow()
    }

    /// Submits what is queued and waits as planned, in one system call; skips the call when there is neither.
    pub fn enter(&mut self, plan: WaitPlan) -> Result<(), RingError> {
        if plan.want == 0 && !self.needs_enter() {
            return Ok(());
        }
        self.enters += 1;
        let timeout = plan.timeout.map(|wait| types::Timespec::from(wait.max(Duration::from_nanos(1))));
        let mut arguments = types::SubmitArgs::new();
        if let Some(timespec) = &timeout {
            arguments = arguments.timespec(timespec);
        }
        if plan.want > 0 && plan.min_wait_us > 0 {
            arguments = arguments.min_wait_usec(plan.min_wait_us);
        }
        let entered = if plan.want > 0 && (timeout.is_some() || plan.min_wait_us > 0) {
            self.inner.submitter().submit_with_args(plan.want, &arguments)
        } else {
            self.inner.submitter().submit_and_wait(plan.want)
        };
        match entered {
            Ok(_) => Ok(()),
            // The time is up, a signal came, or completions must be reaped first: all are the loop's next turn.
            Err(error) if is_passing(&error) => Ok(()),
            Err(error) => Err(explain(error)),
        }
    }

    fn needs_enter(&mut self) -> bool {
        let submission = self.inner.submission();
        !submission.is_empty() || submission.taskrun() || submission.cq_overflow()
    }

    /// Moves every completion that is there into `batch`. The answer, when there is one, proves that all sends
    /// queued before the last [`Ring::enter`] have run and that the failed ones among them are in `batch`.
    pub fn reap(&mut self, batch: &mut Vec<Completion>) -> Result<Option<Settled>, RingError> {
        batch.append(&mut self.early);
        self.collect(batch);
        while self.inner.submission().cq_overflow() {
            // The kernel keeps what did not fit; it hands it over on the next enter.
            self.enter(WaitPlan { want: 0, timeout: None, min_wait_us: 0 })?;
            self.collect(batch);
        }
        Ok(self.inner.submission().is_empty().then(Settled::new))
    }

    fn collect(&mut self, batch: &mut Vec<Completion>) {
        for entry in self.inner.completion() {
            let completion = Completion::new(entry.user_data(), entry.result(), entry.flags());
            if completion.is_last() && completion.operation().owes_completion() {
                assert!(self.running > 0, "a completion nobody waits for");
                self.running -= 1;
            }
            batch.push(completion);
        }
    }

    /// Queues `entry`, making room by submitting when the queue is full.
    fn push(&mut self, entry: &squeue::Entry, owes_completion: bool) -> Result<(), RingError> {
        while self.inner.submission().is_full() {
            self.enter(WaitPlan { want: 0, timeout: None, min_wait_us: 0 })?;
            // A kernel that holds more completions than fit may refuse requests until some are taken.
            let mut early = std::mem::take(&mut self.early);
            self.collect(&mut early);
            self.early = early;
        }
        let mut submission = self.inner.submission();
        // SAFETY: the module's invariants: memory that the entry names belongs to `buffers` until its completion, and
        // its descriptor stays open.
        let pushed = unsafe { submission.push(entry) };
        pushed.expect("the queue had room, and one thread pushes");
        self.running += usize::from(owes_completion);
        Ok(())
    }
}

/// Errors of `io_uring_enter` that only end the wait.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN))
}

//! The loop of one core: reap → serve → background turn → flush, submit and wait in one system call.
//!
//! Nothing here allocates in the steady state: lists and output buffers are reused, an idle connection owns 40 bytes in the table.
//! What a callback asks for is noted in [`Io`] and carried out after the callbacks, so a service never sees a connection
//! change under its hands.

mod accept;
mod arrivals;
mod connection;
mod deadlines;
mod ending;
mod io;
mod options;
mod receive;
mod send;
mod stop;
mod table;

use crate::buffers::ProvidedBuffers;
use crate::clock::Monotonic;
use crate::error::RingError;
use crate::listener::{Listener, ListenerId};
use crate::mailbox::Mailboxes;
use crate::ring::{BUFFER_GROUP, BULK_BUFFER_GROUP, Completion, Operation, Ring, WaitPlan};
use crate::service::{Service, Wake};

pub use io::Io;
pub use options::{MinWait, ReactorOptions};

/// Completions that the service may look at before the first of them is handed to it: few enough for what it asks for to be in
/// the cache still when it is used, enough for the waits to overlap.
const FORESEEN_MAX: usize = 16;

/// The reactor of one core. Make it on the thread that runs it: the ring has a single issuer.
pub struct Reactor<S: Service> {
    // Before the buffers: the ring must be quiet, and gone, when they are unmapped.
    io: Io<S::Message>,
    buffers: ProvidedBuffers,
    bulk_buffers: ProvidedBuffers,
    batch: Vec<Completion>,
    is_watching_doorbell: bool,
}

impl<S: Service> Reactor<S> {
    /// Opens the ring and its buffers.
    ///
    /// # Errors
    /// Why the kernel refuses, with the remedy in its text.
    pub fn new(options: ReactorOptions, mailboxes: Mailboxes<S::Message>) -> Result<Self, RingError> {
        let ring = Ring::new(options.submissions, options.completions)?;
        let (count, bytes) = (options.receive_buffers, options.receive_buffer_bytes);
        let buffers = ProvidedBuffers::register(&ring, BUFFER_GROUP, count, bytes)?;
        let (count, bytes) = (options.bulk_buffers, options.bulk_buffer_bytes);
        let bulk_buffers = ProvidedBuffers::register(&ring, BULK_BUFFER_GROUP, count, bytes)?;
        let io = Io::new(ring, options, mailboxes);
        Ok(Self { io, buffers, bulk_buffers, batch: Vec::new(), is_watching_doorbell: false })
    }

    /// Accepts connections on `listener`; `id` comes with each.
    pub fn listen(&mut self, id: ListenerId, listener: Listener) {
        self.io.acceptor.add(id, listener);
    }

    /// What the service uses, for set-up before the loop runs.
    pub fn io(&mut self) -> &mut Io<S::Message> {
        &mut self.io
    }

    /// Address space set aside for provided buffers, in bytes; only touched pages are paid for.
    pub fn buffer_bytes(&self) -> usize {
        self.buffers.mapped_bytes() + self.bulk_buffers.mapped_bytes()
    }

    /// Serves until the service calls [`Io::stop`].
    ///
    /// # Errors
    /// When the ring itself fails, which no connection can cause.
    pub fn run(&mut self, service: &mut S) -> Result<(), RingError> {
        while !self.io.is_stopping {
            let wake = self.turn(service)?;
            if !self.io.is_stopping {
                self.wait(wake)?;
            }
        }
        self.wind_down(service)
    }

    /// One loop without its wait.
    fn turn(&mut self, service: &mut S) -> Result<Wake, RingError> {
        self.io.now = Monotonic::now();
        self.io.gauges.turns += 1;
        self.reap(service)?;
        let now = self.io.now;
        self.io.arrivals.end_turn(now);
        self.deliver_messages(service);
        self.io.expire()?;
        let wake = service.turn(&mut self.io, now);
        self.carry_out(service)?;
        Ok(wake)
    }

    /// Takes all completions: sends first, so that drained and closed connections are known before new input is served.
    fn reap(&mut self, service: &mut S) -> Result<(), RingError> {
        let mut batch = std::mem::take(&mut self.batch);
        let settled = self.io.ring.reap(&mut batch)?;
        self.io.gauges.completions += batch.len() as u64;
        for completion in &batch {
            if matches!(completion.operation(), Operation::Send | Operation::SendOptimistic) {
                self.io.send_completed(completion)?;
            }
        }
        if let Some(settled) = settled {
            self.io.land_silent(settled)?;
        }
        self.call_back(service);
        self.deliver_resumed(service);
        let mut rest = batch.drain(..);
        let mut foreseen = 0;
        loop {
            if foreseen == 0 {
                foreseen = rest.len().min(FORESEEN_MAX);
                self.foresee(service, &rest.as_slice()[..foreseen]);
            }
            let Some(completion) = rest.next() else { break };
            foreseen -= 1;
            match completion.operation() {
                Operation::Receive | Operation::ReceiveBulk => self.receive_completed(service, completion)?,
                Operation::Accept => self.io.accept_completed(completion),
                Operation::Doorbell => self.is_watching_doorbell &= !completion.is_last(),
                Operation::Send | Operation::SendOptimistic | Operation::Cancel => {}
            }
        }
        drop(rest);
        self.batch = batch;
        self.open_accepted(service);
        Ok(())
    }

    /// Lets the service see what it is going to be handed, if it is more than one thing.
    fn foresee(&self, service: &mut S, completions: &[Completion]) {
        let received = || {
            let is_input = |completion: &&Completion| completion.operation() == Operation::Receive;
            let chunks = completions.iter().filter(is_input).filter_map(Completion::filled);
            chunks.map(|chunk| self.buffers.bytes(chunk))
        };
        if received().nth(1).is_some() {
            service.foresee(received());
        }
    }

    /// Tells the service what has drained and what is closed.
    fn call_back(&mut self, service: &mut S) {
        // Lists are taken whole: what these calls add is told in the next loop.
        let mut drained = std::mem::take(&mut self.io.drained);
        for id in drained.drain(..) {
            if self.io.is_open(id) {
                service.output_drained(&mut self.io, id);
            }
        }
        if self.io.drained.is_empty() {
            self.io.drained = drained;
        }
        self.tell_closed(service);
    }

    /// Tells the service what is closed. A place is free for another connection only after that.
    fn tell_closed(&mut self, service: &mut S) {
        while let Some(id) = self.io.closed.pop() {
            service.closed(&mut self.io, id);
            if let Some(connection) = self.io.table.get_mut(id) {
                connection.close_told = true;
            }
            self.io.release_if_quiet(id);
        }
    }

    fn deliver_messages(&mut self, service: &mut S) {
        for _ in 0..self.io.options.messages_per_turn_max {
            let Some((source, message)) = self.io.mailboxes.receive() else { break };
            self.io.gauges.messages_in += 1;
            service.message(&mut self.io, source, message);
        }
        self.io.mailboxes.fair();
    }

    /// Does what the callbacks of this loop asked for.
    fn carry_out(&mut self, service: &mut S) -> Result<(), RingError> {
        loop {
            self.io.end_aborted()?;
            self.io.flush()?;
            if self.io.closed.is_empty() && self.io.aborted.is_empty() {
                break;
            }
            // Each round takes at least one connection away, so this ends.
            self.tell_closed(service);
        }
        self.io.arm_accepts()?;
        self.io.arm_receives()?;
        if !self.is_watching_doorbell {
            let waker = self.io.mailboxes.waker();
            waker.drain();
            self.io.ring.watch_doorbell(waker.counter())?;
            self.is_watching_doorbell = true;
        }
        self.io.gauges.doorbells += self.io.mailboxes.ring_doorbells();
        Ok(())
    }

    /// Submits, and sleeps when there is nothing to do.
    fn wait(&mut self, wake: Wake) -> Result<(), RingError> {
        let io = &mut self.io;
        let at = if let Wake::At(instant) = wake { Some(instant) } else { None };
        let deadlines = [at, io.flushing.next(), io.lingering.next(), io.acceptor.next_deadline()];
        let deadline = deadlines.into_iter().flatten().min();
        let has_work = wake == Wake::Now
            || std::mem::take(&mut io.is_restless)
            || io.acceptor.has_accepted()
            || !(io.resumed.is_empty() && io.drained.is_empty() && io.dirty.is_empty())
            || deadline.is_some_and(|deadline| deadline <= io.now)
            || io.ring.has_completions();
        if has_work || !io.mailboxes.fall_asleep() {
            return io.ring.enter(WaitPlan { want: 0, timeout: None, min_wait_us: 0 });
        }
        let timeout = deadline.map(|deadline| deadline.since(io.now));
        let worth = |wait: &MinWait| io.ring.has_min_wait() && io.arrivals.are_worth(*wait, io.now);
        let min_wait = io.options.min_wait.filter(worth);
        let plan = match min_wait {
            Some(min_wait) => {
                WaitPlan { want: min_wait.completions.max(1), timeout, min_wait_us: min_wait.microseconds }
            }
            None => WaitPlan { want: 1, timeout, min_wait_us: 0 },
        };
        let entered = io.ring.enter(plan);
        io.mailboxes.wake_up();
        entered
    }
}

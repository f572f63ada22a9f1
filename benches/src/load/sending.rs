//! How a worker sends: whole batches in a closed loop, commands when they are due in an open one.

use crate::cluster::slot::slot_of;
use crate::load::in_flight::{Command, Sent};
use crate::load::pace::Pace;
use crate::load::plan::LoadError;
use crate::load::router::Drawn;
use crate::load::worker::Worker;

/// Commands under way, over all connections of a worker; what is due beyond is counted and not sent.
const OUTSTANDING_MAX: u64 = 4 * 1024 * 1024;
/// Commands drawn for other nodes in a row before a connection gives up for this turn.
const DRAWS_MAX: usize = 4096;
/// Wait before a command is tried again.
const RETRY_NS: u64 = 1_000_000;

impl Worker<'_> {
    /// In a closed loop, gives a connection that has all its replies the next batch.
    pub(super) fn start(&mut self, index: usize, now_ns: u64) -> Result<(), LoadError> {
        let connection = &self.connections[index];
        let idle = connection.in_flight.commands() == 0 && !connection.closed;
        if !idle || !matches!(self.pace, Pace::Closed) {
            return Ok(());
        }
        let count = self.budget.min(self.plan.pipeline as u64);
        let sent = if self.router.by_slot() {
            self.fill_batch_by_slot(index, count, now_ns)
        } else {
            self.fill_batch(index, count, now_ns)
        };
        if sent == 0 {
            if count > 0 {
                self.starved.push(index);
            }
            return Ok(());
        }
        self.budget -= sent;
        self.outstanding += sent;
        self.recorder.sent_bytes += self.scratch.len() as u64;
        match self.connections[index].send(&self.scratch) {
            Ok(()) => Ok(()),
            Err(error) => self.lose(index, error),
        }
    }

    /// Tries again for connections that found no command for their node.
    pub(super) fn start_starved(&mut self, now_ns: u64) -> Result<(), LoadError> {
        for index in std::mem::take(&mut self.starved) {
            self.start(index, now_ns)?;
        }
        Ok(())
    }

    /// In an open loop, sends what is due by now.
    pub(super) fn send_due(&mut self, now_ns: u64) -> Result<(), LoadError> {
        loop {
            let Pace::Open(arrivals) = &mut self.pace else { return Ok(()) };
            let due_ns = arrivals.due_ns();
            if due_ns > now_ns || self.budget == 0 {
                break;
            }
            arrivals.advance();
            let count = self.budget.min(self.plan.pipeline as u64);
            self.budget -= count;
            if self.outstanding + count > OUTSTANDING_MAX {
                self.recorder.shed += count;
                continue;
            }
            // Commands that are due together share a connection, unless slots decide.
            let together = if self.router.by_slot() { None } else { self.router.next_connection(0) };
            for _ in 0..count {
                self.send_one(due_ns, together)?;
            }
        }
        self.flush_dirty()
    }

    fn send_one(&mut self, due_ns: u64, connection: Option<usize>) -> Result<(), LoadError> {
        let drawn = self.draw_any();
        let index = match connection {
            Some(index) => index,
            None => {
                let node = self.owner(drawn).unwrap_or(0);
                self.connection_of(node)?
            }
        };
        self.queue(index, due_ns, drawn);
        Ok(())
    }

    /// Sends commands again that a node has refused for the moment.
    pub(super) fn send_retries(&mut self, now_ns: u64) -> Result<(), LoadError> {
        let mut position = 0;
        while position < self.retries.len() {
            let (not_before, sent) = self.retries[position];
            if not_before > now_ns {
                position += 1;
                continue;
            }
            self.retries.swap_remove(position);
            if let Command::Known { template, key } = sent.command {
                let node = self.owner((template, key)).unwrap_or(0);
                let index = self.connection_of(node)?;
                self.queue(index, sent.due_ns, (template, key));
            }
        }
        self.flush_dirty()
    }

    /// Notes a command to be sent again a little later.
    pub(super) fn retry(&mut self, sent: Sent, now_ns: u64) {
        self.retries.push((now_ns + RETRY_NS, sent));
    }

    /// Puts a command into a connection's queue; the next flush sends it.
    pub(super) fn queue(&mut self, index: usize, due_ns: u64, (template, key): Drawn) {
        let connection = &mut self.connections[index];
        let queue = connection.queue();
        let before = queue.len();
        self.workload.template(template).render(queue, key, &mut self.draw);
        self.recorder.sent_bytes += (queue.len() - before) as u64;
        let command = if self.router.by_slot() { Command::Known { template, key } } else { Command::Any };
        connection.in_flight.push(Sent { due_ns, count: 1, command });
        self.outstanding += 1;
        self.dirty.push(index);
    }

    /// Writes what has been queued since the last time.
    pub(super) fn flush_dirty(&mut self) -> Result<(), LoadError> {
        while let Some(index) = self.dirty.pop() {
            if !self.connections[index].closed
                && let Err(error) = self.connections[index].flush()
            {
                self.lose(index, error)?;
            }
        }
        Ok(())
    }

    /// A connection to the node, opened when there is none.
    pub(super) fn connection_of(&mut self, node: usize) -> Result<usize, LoadError> {
        match self.router.next_connection(node) {
            Some(index) => Ok(index),
            None => self.connect(node),
        }
    }

    fn fill_batch(&mut self, index: usize, count: u64, now_ns: u64) -> u64 {
        self.scratch.clear();
        for _ in 0..count {
            let (template, key) = self.draw_any();
            self.workload.template(template).render(&mut self.scratch, key, &mut self.draw);
        }
        if count > 0 {
            let sent = Sent { due_ns: now_ns, count: count as u32, command: Command::Any };
            self.connections[index].in_flight.push(sent);
        }
        count
    }

    fn fill_batch_by_slot(&mut self, index: usize, count: u64, now_ns: u64) -> u64 {
        self.scratch.clear();
        let node = self.connections[index].node;
        for filled in 0..count {
            let Some((template, key)) = self.draw_for(node) else { return filled };
            self.workload.template(template).render(&mut self.scratch, key, &mut self.draw);
            let command = Command::Known { template, key };
            self.connections[index].in_flight.push(Sent { due_ns: now_ns, count: 1, command });
        }
        count
    }

    #[inline]
    fn draw_any(&mut self) -> Drawn {
        let template = self.workload.pick(&mut self.draw.random);
        (template, self.draw.keys.choose(&mut self.draw.random))
    }

    /// A command whose key the node owns. Commands drawn for others on the way are left to them, so that the keys
    /// keep their distribution and a fill leaves none out.
    fn draw_for(&mut self, node: usize) -> Option<Drawn> {
        if let Some(drawn) = self.router.node_mut(node).take_spilled() {
            return Some(drawn);
        }
        if !self.router.nodes()[node].owns_slots() {
            return None;
        }
        for _ in 0..DRAWS_MAX {
            if self.undrawn == 0 {
                return None;
            }
            self.undrawn -= 1;
            let drawn = self.draw_any();
            match self.owner(drawn) {
                Some(owner) if owner != node => {
                    let room = self.router.node_mut(owner).spill(drawn);
                    if !room {
                        return None;
                    }
                }
                _ => return Some(drawn),
            }
        }
        None
    }

    fn owner(&mut self, (template, key): Drawn) -> Option<usize> {
        let template = self.workload.template(template);
        let routing = template.routing()?;
        self.probe.clear();
        template.render(&mut self.probe, key, &mut self.draw);
        self.router.owner(slot_of(&self.probe[routing]))
    }
}

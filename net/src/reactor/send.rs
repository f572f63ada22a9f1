//! Output: one send per connection and turn, optimistic first, waiting when the peer reads slower than we write.

use super::connection::{Phase, SendState};
use super::io::Io;
use crate::buffers::Landing;
use crate::connection_id::ConnectionId;
use crate::error::RingError;
use crate::ring::{Completion, Errno, Operation, SendMode, Settled};

impl<M: Send> Io<M> {
    /// Lands a send that completed visibly.
    pub(super) fn send_completed(&mut self, completion: &Completion) -> Result<(), RingError> {
        let token = completion.token();
        let id = ConnectionId { index: token.index, generation: token.generation };
        let expected = match completion.operation() {
            Operation::SendOptimistic => SendState::Optimistic,
            _ => SendState::Visible,
        };
        if self.table.get(id).is_some_and(|connection| connection.send == expected) {
            self.land(id, &Landing::Completed(completion))?;
        }
        Ok(())
    }

    /// Lands the optimistic sends that kept silent.
    pub(super) fn land_silent(&mut self, settled: Settled) -> Result<(), RingError> {
        let mut silent = std::mem::take(&mut self.optimistic);
        for id in silent.drain(..) {
            if self.table.get(id).is_some_and(|connection| connection.send == SendState::Optimistic) {
                self.land(id, &Landing::Silent(settled))?;
            }
        }
        self.optimistic = silent;
        Ok(())
    }

    fn land(&mut self, id: ConnectionId, landing: &Landing<'_>) -> Result<(), RingError> {
        let connection = self.table.get_mut(id).expect("the caller looked");
        let outgoing = connection.outgoing.as_mut().expect("a send in flight has its bytes");
        connection.send = SendState::Idle;
        let flown = outgoing.flight_bytes();
        let sent = outgoing.land(landing, &mut self.pool);
        let pending = outgoing.pending_bytes();
        let is_short = sent != Ok(flown);
        connection.is_blocked = is_short;
        match sent {
            Ok(bytes) => self.gauges.bytes_out += bytes as u64,
            Err(Errno(libc::EAGAIN | libc::EINTR | libc::ECANCELED)) => {}
            Err(_) => return self.fail(id),
        }
        self.gauges.short_sends += u64::from(is_short);
        if pending == 0 {
            let empty = connection.outgoing.take().expect("looked at above");
            self.pool.put_outgoing(empty);
        }
        if connection.phase == Phase::Ending {
            self.release_if_quiet(id);
            return Ok(());
        }
        if connection.notify_drained && pending <= self.options.output_resume_bytes {
            connection.notify_drained = false;
            self.drained.push(id);
        }
        let has_more = pending > 0 || connection.phase == Phase::Flushing;
        if has_more && !connection.is_dirty {
            connection.is_dirty = true;
            self.dirty.push(id);
        }
        Ok(())
    }

    /// Gives the output of every dirty connection to the kernel, and ends those that had only that left to do.
    pub(super) fn flush(&mut self) -> Result<(), RingError> {
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.flush_one(id)?;
        }
        debug_assert!(self.dirty.is_empty(), "flushing one connection dirties no other");
        self.dirty = dirty;
        Ok(())
    }

    fn flush_one(&mut self, id: ConnectionId) -> Result<(), RingError> {
        let Some(connection) = self.table.get_mut(id) else { return Ok(()) };
        connection.is_dirty = false;
        let is_flushing = connection.phase == Phase::Flushing;
        if !(is_flushing || connection.phase == Phase::Open) {
            return Ok(());
        }
        if is_flushing && connection.is_blocked && !connection.flush_timed {
            connection.flush_timed = true;
            self.flushing.start(id, self.now);
        }
        if connection.send != SendState::Idle {
            // Landing makes the connection dirty again.
            self.is_restless |= connection.send == SendState::Optimistic;
            return Ok(());
        }
        let Some(outgoing) = connection.outgoing.as_mut().filter(|outgoing| outgoing.pending_bytes() > 0)
        else {
            if let Some(empty) = connection.outgoing.take() {
                self.pool.put_outgoing(empty);
            }
            if is_flushing {
                return self.finish_close(id);
            }
            if std::mem::take(&mut connection.notify_drained) {
                self.drained.push(id);
            }
            return Ok(());
        };
        // Something waits for the end of these: nothing else would wake the loop.
        let mode = match (connection.is_blocked, is_flushing || connection.notify_drained) {
            (true, _) => SendMode::Waiting,
            (false, true) => SendMode::Prompt,
            (false, false) => SendMode::Optimistic,
        };
        let socket = connection.socket.as_ref().expect("a connection that is not free has its socket");
        self.ring.send(std::os::fd::AsFd::as_fd(socket), id, outgoing, mode)?;
        self.gauges.sends += 1;
        connection.send = if mode == SendMode::Optimistic {
            self.optimistic.push(id);
            SendState::Optimistic
        } else {
            SendState::Visible
        };
        Ok(())
    }
}

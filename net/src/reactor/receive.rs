//! Input: multishot receives that run while the service wants bytes, or one bulk buffer after the other, and input held back
//! while it does not.

use super::Reactor;
use super::connection::{Connection, Phase, ReadState};
use super::io::Io;
use crate::connection_id::ConnectionId;
use crate::error::RingError;
use crate::ring::{Completion, Errno, Operation};
use crate::service::Service;

impl<M: Send> Io<M> {
    /// Starts and cancels receives as the connections want it by now.
    pub(super) fn arm_receives(&mut self) -> Result<(), RingError> {
        for id in self.to_cancel.drain(..) {
            let Some(connection) = self.table.get_mut(id) else { continue };
            if (connection.is_paused || connection.is_bulk) && connection.read == ReadState::Armed {
                connection.read = ReadState::Cancelling;
                self.ring.cancel_request(Operation::Receive, id)?;
            }
        }
        for id in self.to_receive.drain(..) {
            let Some(connection) = self.table.get_mut(id) else { continue };
            if connection.wants_input() && connection.read == ReadState::Idle {
                if connection.is_bulk {
                    self.ring.receive_bulk(connection.socket(), id)?;
                    connection.read = ReadState::Bulk;
                } else {
                    self.ring.receive(connection.socket(), id)?;
                    connection.read = ReadState::Armed;
                }
            }
        }
        Ok(())
    }
}

impl<S: Service> Reactor<S> {
    /// Hands what a receive brought to the service.
    pub(super) fn receive_completed(
        &mut self,
        service: &mut S,
        completion: Completion,
    ) -> Result<(), RingError> {
        let token = completion.token();
        let id = ConnectionId { index: token.index, generation: token.generation };
        let (result, is_last) = (completion.result(), completion.is_last());
        let buffers = match completion.operation() {
            Operation::ReceiveBulk => &mut self.bulk_buffers,
            _ => &mut self.buffers,
        };
        let filled = completion.into_filled();
        let Some(connection) = self.io.table.get_mut(id) else {
            buffers.publish_all(filled);
            return Ok(());
        };
        if is_last {
            connection.read = ReadState::Idle;
        }
        match (result, &filled) {
            (Ok(0), _) => self.io.input_ended(service, id)?,
            (Ok(length), Some(chunk)) => {
                self.io.gauges.bytes_in += length as u64;
                if holds_back(connection) {
                    let held = connection.held.get_or_insert_default();
                    held.bytes.extend_from_slice(buffers.bytes(chunk));
                } else if connection.is_open() {
                    self.io.arrivals.note();
                    service.received(&mut self.io, id, buffers.bytes(chunk));
                }
            }
            (Ok(_), None) => panic!("a receive without a buffer brought bytes"),
            (Err(Errno(libc::ENOBUFS)), _) => self.io.gauges.buffer_exhaustions += 1,
            (Err(Errno(libc::ECANCELED | libc::EINTR | libc::EAGAIN)), _) => {}
            (Err(_), _) => self.io.fail(id)?,
        }
        buffers.publish_all(filled);
        if is_last {
            self.io.after_receive(id);
        }
        Ok(())
    }

    /// Hands held input to services that want it again.
    pub(super) fn deliver_resumed(&mut self, service: &mut S) {
        // What is resumed during these calls has its turn in the next loop.
        for id in std::mem::take(&mut self.io.resumed) {
            let Some(connection) = self.io.table.get_mut(id) else { continue };
            if !connection.is_open() || connection.is_paused {
                continue;
            }
            if let Some(held) = connection.held.take() {
                service.received(&mut self.io, id, &held.bytes);
            }
            let Some(connection) = self.io.table.get_mut(id) else { continue };
            let tells = connection.is_open() && !connection.is_paused && connection.input_ended;
            if tells && !connection.end_told {
                connection.end_told = true;
                service.end_of_input(&mut self.io, id);
            }
        }
    }
}

/// Whether input must wait: the service paused, or older input waits for its next loop.
fn holds_back(connection: &Connection) -> bool {
    connection.is_open() && (connection.is_paused || connection.held.is_some())
}

impl<M: Send> Io<M> {
    fn input_ended<S: Service<Message = M>>(
        &mut self,
        service: &mut S,
        id: ConnectionId,
    ) -> Result<(), RingError> {
        let Some(connection) = self.table.get_mut(id) else { return Ok(()) };
        connection.input_ended = true;
        match connection.phase {
            Phase::Open if !holds_back(connection) => {
                connection.end_told = true;
                service.end_of_input(self, id);
            }
            Phase::Lingering => self.end(id)?,
            _ => {}
        }
        Ok(())
    }

    fn after_receive(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id) else { return };
        if connection.phase == Phase::Ending {
            self.release_if_quiet(id);
        } else if connection.wants_input() {
            self.to_receive.push(id);
        }
    }
}

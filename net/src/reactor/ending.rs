//! The end of a connection: after its last output, at once, or after an error; its place is free when the kernel has let go.

use std::net::Shutdown;

use socket2::SockRef;

use super::connection::{Phase, ReadState, SendState};
use super::io::Io;
use crate::connection_id::ConnectionId;
use crate::error::RingError;
use crate::ring::{Operation, system};

impl<M: Send> Io<M> {
    /// The kernel has all output of a closing connection.
    ///
    /// Closing a TCP socket with unread input resets it, and what the peer has not acknowledged by then is lost. So while the
    /// peer may still send and has not acknowledged everything, only our direction is shut, and input is thrown away
    /// until the peer closes too or the time is up.
    pub(super) fn finish_close(&mut self, id: ConnectionId) -> Result<(), RingError> {
        let Some(connection) = self.table.get_mut(id) else { return Ok(()) };
        let may_reset = connection.is_tcp && !connection.input_ended;
        if !may_reset || system::unacknowledged_bytes(connection.socket()) == 0 {
            return self.end(id);
        }
        connection.phase = Phase::Lingering;
        let shut = SockRef::from(&connection.socket()).shutdown(Shutdown::Write);
        if connection.read == ReadState::Idle {
            self.to_receive.push(id);
        }
        self.gauges.lingering += 1;
        self.closed.push(id);
        self.lingering.start(id, self.now);
        if shut.is_err() { self.end(id) } else { Ok(()) }
    }

    /// The socket failed: nothing more comes in or goes out.
    pub(super) fn fail(&mut self, id: ConnectionId) -> Result<(), RingError> {
        let Some(connection) = self.table.get_mut(id) else { return Ok(()) };
        if !matches!(connection.phase, Phase::Aborted | Phase::Ending) {
            self.gauges.connection_errors += 1;
        }
        self.end(id)
    }

    /// Ends the connections that the service aborted since.
    pub(super) fn end_aborted(&mut self) -> Result<(), RingError> {
        while let Some(id) = self.aborted.pop() {
            let Some(connection) = self.table.get_mut(id) else { continue };
            if connection.is_tcp {
                // A reset: the kernel drops what it still holds for the peer.
                let _ = SockRef::from(&connection.socket()).set_linger(Some(std::time::Duration::ZERO));
            }
            self.end(id)?;
        }
        Ok(())
    }

    /// Ends the connection, whatever it was doing.
    pub(super) fn end(&mut self, id: ConnectionId) -> Result<(), RingError> {
        let Some(connection) = self.table.get_mut(id) else { return Ok(()) };
        match connection.phase {
            Phase::Open | Phase::Flushing | Phase::Aborted => self.closed.push(id),
            Phase::Lingering => self.gauges.lingering -= 1,
            Phase::Ending => return Ok(()),
            Phase::Free => unreachable!("the table hides free places"),
        }
        connection.phase = Phase::Ending;
        connection.held = None;
        self.is_restless |= connection.send == SendState::Optimistic;
        let is_sending = connection.send == SendState::Visible;
        let receive = match connection.read {
            ReadState::Armed => Some(Operation::Receive),
            ReadState::Bulk => Some(Operation::ReceiveBulk),
            ReadState::Idle | ReadState::Cancelling => None,
        };
        if let Some(receive) = receive {
            connection.read = ReadState::Cancelling;
            self.ring.cancel_request(receive, id)?;
        }
        if is_sending {
            self.ring.cancel_request(Operation::Send, id)?;
        }
        self.release_if_quiet(id);
        Ok(())
    }

    /// Frees the place of an ended connection when the service knows and the kernel has let go of it.
    pub(super) fn release_if_quiet(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id) else { return };
        if connection.phase != Phase::Ending || !connection.close_told || !connection.is_quiet() {
            return;
        }
        if let Some(mut outgoing) = connection.outgoing.take()
            && outgoing.discard()
        {
            self.pool.put_outgoing(outgoing);
        }
        self.table.remove(id);
    }

    /// Ends what took too long.
    pub(super) fn expire(&mut self) -> Result<(), RingError> {
        while let Some(id) = self.flushing.expired(self.now) {
            if self.table.get(id).is_some_and(|connection| connection.phase == Phase::Flushing) {
                self.abort(id);
            }
        }
        while let Some(id) = self.lingering.expired(self.now) {
            if self.table.get(id).is_some_and(|connection| connection.phase == Phase::Lingering) {
                self.end(id)?;
            }
        }
        Ok(())
    }
}

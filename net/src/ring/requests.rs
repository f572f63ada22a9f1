//! The requests a reactor makes, each as one function.

use std::os::fd::{AsRawFd, BorrowedFd};

use io_uring::{opcode, squeue, types};

use super::operation::{Operation, Token, pack};
use super::{BUFFER_GROUP, BULK_BUFFER_GROUP, Ring};
use crate::buffers::{Flight, Outgoing};
use crate::connection_id::ConnectionId;
use crate::error::RingError;

/// How a send behaves when the socket has no room, and what it leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SendMode {
    /// Runs inside `enter`, never waits; only a failure or a short send leaves a completion.
    Optimistic,
    /// Never waits, always completes: for a send whose end something depends on.
    Prompt,
    /// Waits for room, always completes.
    Waiting,
}

impl Ring {
    /// Accepts on `listener` until it ends; `index` comes back with each completion.
    pub fn accept(&mut self, listener: BorrowedFd<'_>, index: u32) -> Result<(), RingError> {
        let entry = opcode::AcceptMulti::new(types::Fd(listener.as_raw_fd()))
            .flags(libc::SOCK_CLOEXEC)
            .build()
            .user_data(pack(Operation::Accept, Token::fixed(index)));
        self.push(&entry, true)
    }

    /// Receives from `socket` into provided buffers until it ends.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, id: ConnectionId) -> Result<(), RingError> {
        let entry = opcode::RecvMulti::new(types::Fd(socket.as_raw_fd()), BUFFER_GROUP)
            .build()
            .user_data(pack(Operation::Receive, id.into()));
        self.push(&entry, true)
    }

    /// Receives from `socket` into one bulk buffer.
    pub fn receive_bulk(&mut self, socket: BorrowedFd<'_>, id: ConnectionId) -> Result<(), RingError> {
        // A length of 0 is that of the buffer which the kernel takes when there is something to receive.
        let entry = opcode::Recv::new(types::Fd(socket.as_raw_fd()), std::ptr::null_mut(), 0)
            .buf_group(BULK_BUFFER_GROUP)
            .build()
            .flags(squeue::Flags::BUFFER_SELECT)
            .user_data(pack(Operation::ReceiveBulk, id.into()));
        self.push(&entry, true)
    }

    /// Sends the front of `outgoing`, which keeps those bytes until [`Outgoing::land`].
    pub fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        id: ConnectionId,
        outgoing: &mut Outgoing,
        mode: SendMode,
    ) -> Result<(), RingError> {
        let descriptor = types::Fd(socket.as_raw_fd());
        // MSG_WAITALL makes a short prompt send a failure in io_uring's eyes, so that it completes visibly.
        let flags = match mode {
            SendMode::Optimistic | SendMode::Prompt => {
                libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT | libc::MSG_WAITALL
            }
            SendMode::Waiting => libc::MSG_NOSIGNAL,
        };
        let entry = match outgoing.take_off() {
            Flight::Plain { start, length } => {
                opcode::Send::new(descriptor, start, length).flags(flags).build()
            }
            Flight::Gathered { header } => {
                opcode::SendMsg::new(descriptor, header).flags(flags as u32).build()
            }
        };
        let (operation, entry) = match mode {
            SendMode::Optimistic => (Operation::SendOptimistic, entry.flags(squeue::Flags::SKIP_SUCCESS)),
            SendMode::Prompt | SendMode::Waiting => (Operation::Send, entry),
        };
        self.push(&entry.user_data(pack(operation, id.into())), operation.owes_completion())
    }

    /// Watches the doorbell until it ends. Edge-triggered: each ring is one completion and nothing need be read.
    pub fn watch_doorbell(&mut self, doorbell: BorrowedFd<'_>) -> Result<(), RingError> {
        let entry = opcode::PollAdd::new(types::Fd(doorbell.as_raw_fd()), libc::POLLIN as u32)
            .multi(true)
            .build()
            .user_data(pack(Operation::Doorbell, Token::fixed(0)));
        self.push(&entry, true)
    }

    /// Ends one request of `id`, which still answers with its last completion.
    pub fn cancel_request(&mut self, operation: Operation, id: ConnectionId) -> Result<(), RingError> {
        self.cancel(types::CancelBuilder::user_data(pack(operation, id.into())), id.into())
    }

    /// Ends everything that runs on `socket`. The kernel looks through all that runs on the ring for it.
    pub fn cancel_socket(&mut self, socket: BorrowedFd<'_>) -> Result<(), RingError> {
        self.cancel(types::CancelBuilder::fd(types::Fd(socket.as_raw_fd())).all(), Token::fixed(0))
    }

    /// Ends everything that runs on the ring.
    pub fn cancel_everything(&mut self) -> Result<(), RingError> {
        self.cancel(types::CancelBuilder::any(), Token::fixed(0))
    }

    fn cancel(&mut self, which: types::CancelBuilder, token: Token) -> Result<(), RingError> {
        let entry = opcode::AsyncCancel2::new(which)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(pack(Operation::Cancel, token));
        self.push(&entry, false)
    }
}

//! Answers of the kernel, typed: descriptors and filled buffers can be taken out of them once.

use std::os::fd::{FromRawFd, OwnedFd};

use io_uring::cqueue;

use super::operation::{Operation, Token, unpack};

/// An error number of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(pub i32);

/// Proof that every send queued before the last `enter` has run, and that all failures among them were reaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled(());

impl Settled {
    pub(super) fn new() -> Self {
        Self(())
    }
}

/// A provided buffer that the kernel filled and that is ours until it is published again.
#[derive(Debug)]
#[must_use = "a buffer that is not published is lost to the ring"]
pub(crate) struct Filled {
    pub(crate) buffer: u16,
    pub(crate) length: u32,
}

/// One completion. Neither `Clone` nor `Copy`: it may carry a descriptor or a buffer.
#[derive(Debug)]
pub(crate) struct Completion {
    user_data: u64,
    result: i32,
    is_last: bool,
    filled: Option<Filled>,
}

impl Completion {
    pub(super) fn new(user_data: u64, result: i32, flags: u32) -> Self {
        let length = u32::try_from(result).unwrap_or(0);
        let filled = cqueue::buffer_select(flags).map(|buffer| Filled { buffer, length });
        Self { user_data, result, is_last: !cqueue::more(flags), filled }
    }

    /// What was asked.
    pub fn operation(&self) -> Operation {
        unpack(self.user_data).0
    }

    /// For whom it was asked.
    pub fn token(&self) -> Token {
        unpack(self.user_data).1
    }

    /// Whether the request has ended.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// A count of bytes, or why there is none.
    pub fn result(&self) -> Result<usize, Errno> {
        usize::try_from(self.result).map_err(|_| Errno(-self.result))
    }

    /// The descriptor that an accept produced.
    pub fn into_accepted(self) -> Result<OwnedFd, Errno> {
        assert!(self.operation() == Operation::Accept, "only an accept yields a descriptor");
        if self.result < 0 {
            return Err(Errno(-self.result));
        }
        // SAFETY: a successful accept hands over a fresh descriptor, and consuming the completion takes it once.
        Ok(unsafe { OwnedFd::from_raw_fd(self.result) })
    }

    /// The buffer that a receive filled.
    pub fn filled(&self) -> Option<&Filled> {
        self.filled.as_ref()
    }

    /// The buffer that a receive filled, to be published again.
    pub fn into_filled(self) -> Option<Filled> {
        self.filled
    }
}

#[cfg(test)]
impl Completion {
    pub(crate) fn for_test(user_data: u64, result: i32) -> Self {
        Self { user_data, result, is_last: true, filled: None }
    }
}

//! How large a request may be.

use super::error::ProtocolError;
use crate::number::parse_i64;

/// The smallest value of `proto-max-bulk-len`; lengths of three digits need no check.
const BULK_BYTES_MAX_MIN: usize = 1024 * 1024;
/// The most arguments of any client.
const ARGUMENTS_MAX: i64 = i32::MAX as i64;
/// The most arguments of a client that gave no password.
const ARGUMENTS_UNAUTHENTICATED_MAX: i64 = 10;
/// The longest argument of a client that gave no password.
const BULK_BYTES_UNAUTHENTICATED_MAX: i64 = 16384;

/// How large a request may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    bulk_bytes_max: usize,
    frame_bytes_max: usize,
    authenticated: bool,
}

impl Default for Limits {
    /// Redis' defaults, for a client that needs no password.
    fn default() -> Self {
        Self::new(512 << 20, 1 << 30)
    }
}

impl Limits {
    /// Arguments of up to `bulk_bytes_max` (`proto-max-bulk-len`, at least 1 MiB) in commands of up to
    /// `frame_bytes_max` (`client-query-buffer-limit`, at least 1 MiB and below 4 GiB).
    pub fn new(bulk_bytes_max: usize, frame_bytes_max: usize) -> Self {
        Self {
            bulk_bytes_max: bulk_bytes_max.max(BULK_BYTES_MAX_MIN),
            frame_bytes_max: frame_bytes_max.clamp(BULK_BYTES_MAX_MIN, u32::MAX as usize),
            authenticated: true,
        }
    }

    /// The same for a client that still has to give a password. The parser must not run ahead of such a client's
    /// commands: fill batches of one.
    pub fn unauthenticated(self) -> Self {
        Self { authenticated: false, ..self }
    }

    /// Whether several commands may be parsed before the first of them runs.
    pub fn may_run_ahead(&self) -> bool {
        self.authenticated
    }

    /// The number of arguments that a header announces; none for 0 and less.
    pub(super) fn count(&self, digits: &[u8]) -> Result<u32, ProtocolError> {
        let count = parse_i64(digits).filter(|count| *count <= ARGUMENTS_MAX);
        let count = count.ok_or(ProtocolError::InvalidMultibulkLength)?;
        if count > ARGUMENTS_UNAUTHENTICATED_MAX && !self.authenticated {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        Ok(count.max(0) as u32)
    }

    /// The length of the argument that begins at `position` of its frame, from its line.
    pub(super) fn bulk(&self, line: &[u8], position: usize) -> Result<u32, ProtocolError> {
        let Some((b'$', digits)) = line.split_first() else {
            return Err(ProtocolError::ExpectedDollar(line.first().copied().unwrap_or(b'\r')));
        };
        let len = parse_i64(digits).filter(|len| (0..=self.bulk_bytes_max as i64).contains(len));
        let len = len.ok_or(ProtocolError::InvalidBulkLength)?;
        if len > BULK_BYTES_UNAUTHENTICATED_MAX && !self.authenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        if position + len as usize + 2 > self.frame_bytes_max {
            return Err(ProtocolError::TooBigRequest);
        }
        Ok(len as u32)
    }
}

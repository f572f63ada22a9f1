//! What a command asks of the process, because the engine does no I/O.

use crate::session::ClientId;

/// Something that only the process can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Close this connection of this core once its replies so far are sent.
    CloseAfterReply(ClientId),
    /// Close this connection of this core at once.
    Close(ClientId),
}

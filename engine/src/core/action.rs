//! What a command asks of the process, because the engine does no I/O.

use crate::session::SessionIndex;

/// Something that only the process can do. What a command wants for its own connection stands in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Close the connection of this session of this core at once.
    Close(SessionIndex),
    /// End the process.
    Shutdown {
        /// Without waiting for anything.
        now: bool,
    },
    /// Settings changed on this core (`CONFIG SET`): hand them to the other cores and to the reactor.
    ConfigChanged,
}

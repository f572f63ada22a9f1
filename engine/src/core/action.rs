//! What a command asks of the process, because the engine does no I/O.

use crate::key::SlotId;
use crate::moves::MoveRequest;
use crate::session::SessionIndex;
use crate::topology::NodeId;

/// Something that only the process can do. What a command wants for its own connection stands in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Close the connection of this session of this core at once.
    Close(SessionIndex),
    /// Stop this core's thread for so long (`DEBUG SLEEP`); the time counts as the command's own.
    Sleep {
        /// How long. Above 0.
        microseconds: u64,
    },
    /// End the process.
    Shutdown {
        /// Without waiting for anything.
        now: bool,
    },
    /// Settings changed on this core (`CONFIG SET`, which runs on every core): hand them to its reactor, the log, and
    /// whatever else of the process goes by them.
    ConfigChanged,
    /// Make the configuration file say what the settings of this core are (`CONFIG REWRITE`), and append the outcome to
    /// the reply of the command that asked for it: `+OK`, or `-ERR Rewriting config file: …`. The command itself has
    /// answered nothing, so the outcome goes before the replies of later commands of that connection.
    RewriteConfig(SessionIndex),
    /// Move slots, each on the core that owns it (`CLUSTER MIGRATESLOTS`). The requests were checked.
    BeginMoves(Vec<MoveRequest>),
    /// End the move of this name, or all of them, whichever core they begin at (`CLUSTER CANCELSLOTMIGRATIONS`).
    CancelMoves(Option<String>),
    /// Make the connection of this session a link: what follows on it is frames of moves from this node to this core
    /// (`CLUSTER LINK`). The reply to the command goes before.
    BecomeLink {
        /// The session.
        session: SessionIndex,
        /// The node at the other end.
        source: NodeId,
    },
    /// Have slots become this node's, or nobody's (`CLUSTER ADDSLOTS`, `DELSLOTS`), and append the outcome to the reply of
    /// the command that asked for it, as `RewriteConfig` does.
    AssignSlots {
        /// The slots, none of them twice.
        slots: Vec<SlotId>,
        /// Whether they become this node's.
        gives: bool,
    },
}

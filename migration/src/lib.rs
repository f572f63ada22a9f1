//! Moving slots: the protocol as pure state machines. Frames and the time in; frames and actions out.
//!
//! [`Outgoing`] is the source's side of a batch, [`Incoming`] the target's. Neither does I/O, starts threads, reads a clock
//! or draws randomness: those are arguments, so the same code runs in the simulator and in the process. What must hold in
//! every interleaving is in `README.md`.

pub mod advance;
pub mod batch;
pub mod digest;
pub mod frame;
pub mod handover;
pub mod incoming;
pub mod lane;
pub mod outgoing;
pub mod pacer;
pub mod plan;
pub mod progress;

pub use advance::Advance;
pub use batch::{Batch, BatchId, Incarnation, MoveId};
pub use frame::{Decoder, Frame, FrameError, Greeting, Hello, Refusal};
pub use incoming::{Incoming, IncomingAction, IncomingSettings, MapNews};
pub use lane::Lane;
pub use outgoing::{Action, Hold, OUTPUT_BYTES_MAX, Outcome, Outgoing, OutgoingSettings};
pub use progress::{Phase, Progress};

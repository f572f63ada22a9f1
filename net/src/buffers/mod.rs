//! Memory that the kernel, or another core, touches beside its owner: provided buffers, outgoing bytes, mailbox rings.

mod mapping;
mod outgoing;
mod pool;
mod provided;
mod spsc;

pub(crate) use outgoing::{Flight, Landing, Outgoing};
pub(crate) use pool::{OUTPUT_KEPT_BYTES_MAX, OutputPool};
pub(crate) use provided::ProvidedBuffers;
pub(crate) use spsc::{SpscReceiver, SpscSender, spsc};

//! Bytes: the reactor, its ring and buffers, listeners, connections, mailboxes and pinning.
//!
//! Knows no key, no slot and no command. One [`Reactor`] per core runs one [`Service`] on the core's own thread;
//! cores talk to one another, and the housekeeping thread talks to them, through [`Mailboxes`]. `unsafe` lives in
//! `ring` and `buffers` alone: what the kernel may touch is owned there until its completion has arrived.

mod address;
mod buffers;
mod clock;
mod connection_id;
mod error;
mod gauges;
mod kernel;
mod listener;
mod mailbox;
mod nofile;
mod pacing;
mod pinning;
mod reactor;
mod ring;
mod service;

pub use address::PeerAddress;
pub use clock::Monotonic;
pub use connection_id::ConnectionId;
pub use error::{Endpoint, ListenError, PinError, RingError};
pub use gauges::Gauges;
pub use kernel::{KernelReport, check_kernel};
pub use listener::{Listener, ListenerId, TcpOptions, listen_shared, listen_tcp, listen_unix};
pub use mailbox::{Mailboxes, Waker, mailbox_mesh};
pub use nofile::{NofileReport, raise_nofile};
pub use pacing::pace;
pub use pinning::{cpus_available, pin_to_cpu, run_promptly};
pub use reactor::{Io, MinWait, Reactor, ReactorOptions};
pub use service::{Service, Wake};

//! What a core does with its bytes: the contract between the reactor and whoever stands on it.

use crate::address::PeerAddress;
use crate::clock::Monotonic;
use crate::connection_id::ConnectionId;
use crate::listener::ListenerId;
use crate::reactor::Io;

/// When the service wants its next turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// At once: work is left over. The core polls for completions but does not sleep.
    Now,
    /// At this instant, or earlier when something happens.
    At(Monotonic),
    /// Only when something happens.
    Idle,
}

/// The work of one core. Every call comes on the core's thread, one after the other.
///
/// One loop of the reactor calls, in this order: `output_drained`, `closed`, `received` and `end_of_input`,
/// `opened` for what the kernel completed, `message` for what other cores sent, `turn`, and then flushes:
/// all output that a connection collected in the loop goes out as one send.
pub trait Service {
    /// What cores send one another.
    type Message: Send;

    /// A connection was accepted. To turn it away call [`Io::refuse`].
    fn opened(
        &mut self,
        io: &mut Io<Self::Message>,
        id: ConnectionId,
        listener: ListenerId,
        peer: &PeerAddress,
    );

    /// What some of the next calls of `received` may bring, so that memory which they are going to need can be asked for. It
    /// promises nothing: a connection may be closed or paused before its turn.
    fn foresee<'a>(&mut self, inputs: impl Iterator<Item = &'a [u8]>) {
        let _ = inputs;
    }

    /// New bytes. `bytes` lies in a buffer that goes back to the kernel after the call: copy what is to be kept.
    /// Not called after `pause_reading` until `resume_reading`, nor after `close` or `abort`.
    fn received(&mut self, io: &mut Io<Self::Message>, id: ConnectionId, bytes: &[u8]);

    /// The peer has finished sending; it may still read. The service closes when its last reply is queued.
    fn end_of_input(&mut self, io: &mut Io<Self::Message>, id: ConnectionId);

    /// The connection is gone: exactly once for each `opened` (and each adopted connection). `id` is stale.
    fn closed(&mut self, io: &mut Io<Self::Message>, id: ConnectionId);

    /// Pending output fell to the resume mark, after [`Io::notify_drained`] asked for it.
    fn output_drained(&mut self, io: &mut Io<Self::Message>, id: ConnectionId);

    /// Participant `from` of the mailbox mesh sent a message.
    fn message(&mut self, io: &mut Io<Self::Message>, from: usize, message: Self::Message);

    /// The background turn, once a loop.
    fn turn(&mut self, io: &mut Io<Self::Message>, now: Monotonic) -> Wake;
}

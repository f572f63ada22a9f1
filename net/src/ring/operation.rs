//! What a completion answers: the operation, and the generation of the place it was for, in its user data.

use crate::connection_id::ConnectionId;

/// The kinds of request the reactor makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Operation {
    /// Multishot accept; the index names the listener.
    Accept = 1,
    /// Multishot receive.
    Receive = 2,
    /// A send that completes visibly only when it fails or falls short.
    SendOptimistic = 3,
    /// A send that always completes visibly.
    Send = 4,
    /// Multishot poll of the core's doorbell.
    Doorbell = 5,
    /// A cancellation; its own outcome does not matter.
    Cancel = 6,
    /// A receive of one bulk buffer.
    ReceiveBulk = 7,
}

impl Operation {
    /// Whether a request of this kind always ends in a completion.
    pub fn owes_completion(self) -> bool {
        !matches!(self, Self::SendOptimistic | Self::Cancel)
    }

    fn from_bits(bits: u64) -> Self {
        match bits {
            1 => Self::Accept,
            2 => Self::Receive,
            3 => Self::SendOptimistic,
            4 => Self::Send,
            5 => Self::Doorbell,
            6 => Self::Cancel,
            7 => Self::ReceiveBulk,
            _ => panic!("user data that the ring never wrote: operation {bits}"),
        }
    }
}

/// The place a request was for, and its generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub index: u32,
    pub generation: u32,
}

impl Token {
    /// A place without generations.
    pub fn fixed(index: u32) -> Self {
        Self { index, generation: 0 }
    }
}

impl From<ConnectionId> for Token {
    fn from(id: ConnectionId) -> Self {
        Self { index: id.index, generation: id.generation }
    }
}

/// `generation (28) | operation (4) | index (32)`.
pub(crate) fn pack(operation: Operation, token: Token) -> u64 {
    debug_assert!(token.generation < 1 << 28, "a generation has 28 bits");
    u64::from(token.generation) << 36 | (operation as u64) << 32 | u64::from(token.index)
}

pub(crate) fn unpack(user_data: u64) -> (Operation, Token) {
    let operation = Operation::from_bits(user_data >> 32 & 0xf);
    (operation, Token { index: user_data as u32, generation: (user_data >> 36) as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_keeps_everything() {
        use Operation::{Accept, Cancel, Doorbell, Receive, ReceiveBulk, Send, SendOptimistic};
        for operation in [Accept, Receive, SendOptimistic, Send, Doorbell, Cancel, ReceiveBulk] {
            for (index, generation) in [(0, 0), (7, 1), (u32::MAX, (1 << 28) - 1)] {
                let token = Token { index, generation };
                assert_eq!(unpack(pack(operation, token)), (operation, token));
            }
        }
    }
}

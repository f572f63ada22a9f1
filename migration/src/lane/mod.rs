//! Lanes: numbered frames that survive the connections they travel on.
//!
//! The sender keeps what was not acknowledged and sends it again on the next connection, from where the receiver says. The
//! receiver takes each number once and in order: what it has seen is dropped, a gap is an error.

mod receiver;
mod sender;

pub use receiver::{Arrival, LaneReceiver, PerLane};
pub use sender::{Acknowledged, LaneError, LaneSender, Stamp};

/// One of the two lanes of a batch, each a connection of its own, so that bulk data never delays what is urgent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lane {
    /// Deltas and control.
    Delta,
    /// The baseline of the slots.
    Snapshot,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Lane; 2] = [Lane::Delta, Lane::Snapshot];

    /// The lane's place in arrays.
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use whimbrel_engine::key::SlotId;

    use super::*;
    use crate::frame::{Frame, FrameError, RunHead};

    fn push(sender: &mut LaneSender, keys: u64) -> u64 {
        let head = RunHead { slot: SlotId::new(1).expect("a slot"), copy: 1 };
        sender.push(&Frame::SlotEnd { head, keys })
    }

    /// Takes everything that arrived; the keys of each frame.
    fn take(receiver: &mut LaneReceiver) -> Vec<u64> {
        let mut taken = Vec::new();
        while let Some(arrival) = receiver.first() {
            if let Ok(Frame::SlotEnd { keys, .. }) = Frame::read(arrival.header.kind, arrival.payload) {
                taken.push(keys);
            }
            receiver.done();
        }
        taken
    }

    fn connect(sender: &mut LaneSender, receiver: &mut LaneReceiver, connection: u32) {
        sender.greet(connection, &Frame::Ping { echo: 0 });
        receiver.connect(connection);
        sender.open(receiver.expected()).expect("they know each other");
    }

    fn pair() -> (LaneSender, LaneReceiver) {
        let (mut sender, mut receiver) = (LaneSender::new(1), LaneReceiver::new(1, true));
        connect(&mut sender, &mut receiver, 1);
        (sender, receiver)
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again() {
        let (mut sender, mut receiver) = pair();
        for keys in 1..=5 {
            push(&mut sender, keys);
        }
        let frame_bytes = sender.window_bytes() / 5;
        sender.flush(usize::MAX, 7, 0);
        let bytes = std::mem::take(sender.output());
        receiver.receive(&bytes[..bytes.len() - frame_bytes - 3]).expect("frames");
        assert_eq!(take(&mut receiver), [1, 2, 3]);
        let acknowledged = sender.acknowledge(3).expect("they were sent");
        assert_eq!((acknowledged.bytes, acknowledged.stamp.at_us), (2 * frame_bytes as u64, 7));
        connect(&mut sender, &mut receiver, 2);
        assert_eq!((sender.acknowledged(), sender.unsent_bytes()), (4, 2 * frame_bytes));
        push(&mut sender, 6);
        sender.flush(usize::MAX, 8, 0);
        receiver.receive(&std::mem::take(sender.output())).expect("frames");
        assert_eq!(take(&mut receiver), [4, 5, 6]);
        assert_eq!(sender.bytes_sent().1, 2 * frame_bytes as u64);
        assert_eq!(sender.acknowledge(8), Err(FrameError::Acknowledgement { expected: 8 }));
        assert_eq!(sender.acknowledge(2).map(|acknowledged| acknowledged.bytes), Ok(0), "an old one");
    }

    #[test]
    fn what_came_before_is_dropped_and_a_gap_is_an_error() {
        let (mut sender, mut receiver) = pair();
        let mut frames = Vec::new();
        for keys in 1..=4 {
            push(&mut sender, keys);
            sender.flush(usize::MAX, 0, 0);
            frames.push(std::mem::take(sender.output()));
        }
        for index in [0, 0, 1, 0, 1] {
            receiver.receive(&frames[index]).expect("a frame");
        }
        assert_eq!(take(&mut receiver), [1, 2]);
        assert_eq!(receiver.receive(&frames[3]), Err(FrameError::Gap { expected: 3, found: 4 }));
        receiver.connect(2);
        receiver.receive(&frames[2]).expect("a frame");
        assert_eq!((take(&mut receiver), receiver.inbox_bytes()), (vec![3], 0));
    }

    #[test]
    fn a_frame_that_is_not_whole_never_stops_a_reader() {
        let (mut sender, mut receiver) = pair();
        sender.flush(usize::MAX, 0, 0);
        sender.output().clear();
        push(&mut sender, 1);
        sender.flush(usize::MAX, 0, 0);
        let bytes = std::mem::take(sender.output());
        let (begin, end) = bytes.split_at(bytes.len() - 1);
        receiver.receive(begin).expect("a part of a frame");
        assert_eq!(receiver.inbox_bytes(), 0);
        receiver.receive(end).expect("the rest");
        assert_eq!(receiver.inbox_bytes(), bytes.len());
    }

    #[test]
    fn frames_of_another_life_or_connection_change_nothing() {
        let (mut sender, mut receiver) = pair();
        push(&mut sender, 1);
        sender.put_control(&Frame::Ping { echo: 1 });
        sender.flush(usize::MAX, 0, 0);
        let bytes = std::mem::take(sender.output());
        receiver.connect(2);
        receiver.receive(&bytes).expect("frames");
        let kinds: Vec<_> =
            std::iter::from_fn(|| receiver.first().map(|arrival| arrival.header.kind)).take(1).collect();
        assert_eq!(kinds, [crate::frame::Kind::SlotEnd], "the ping was another connection's");
        receiver.begin(2);
        receiver.receive(&bytes).expect("frames");
        assert!(receiver.first().is_none());
        assert_eq!((receiver.expected(), receiver.inbox_bytes()), (1, 0));
        sender.begin(2);
        assert_eq!((push(&mut sender, 9), sender.acknowledged(), sender.is_open()), (1, 1, false));
    }

    #[test]
    fn a_receiver_that_is_another_one_is_found_out() {
        let (mut sender, receiver) = pair();
        push(&mut sender, 1);
        push(&mut sender, 2);
        sender.flush(usize::MAX, 0, 0);
        sender.acknowledge(2).expect("it was sent");
        sender.close();
        assert_eq!(sender.open(receiver.expected()), Err(LaneError::Lost));
        assert_eq!(sender.open(4), Err(LaneError::Ahead));
        assert!(sender.open(3).is_ok());
    }

    #[test]
    fn the_wrong_direction_and_an_ignored_window_are_errors() {
        let (mut sender, _) = pair();
        push(&mut sender, 1);
        sender.flush(usize::MAX, 0, 0);
        let bytes = std::mem::take(sender.output());
        let mut wrong = LaneReceiver::new(1, false);
        wrong.connect(1);
        assert!(matches!(wrong.receive(&bytes), Err(FrameError::Unexpected { .. })));
        let mut receiver = LaneReceiver::new(1, true);
        assert_eq!(receiver.receive(&vec![0; crate::frame::INBOX_BYTES_MAX + 1]), Err(FrameError::Window));
    }

    proptest! {
        #[test]
        fn every_frame_arrives_once_and_in_order(
            events in proptest::collection::vec((0..6u8, 1..200usize), 1..300)
        ) {
            let (mut sender, mut receiver) = pair();
            let (mut wire, mut back, mut made, mut taken, mut connection) = (Vec::new(), 1, 0, Vec::new(), 1);
            for (event, size) in events {
                match event {
                    0 => { made += 1; push(&mut sender, made); }
                    1 => { sender.flush(size, 0, 0); wire.append(sender.output()); }
                    2 => {
                        let rest = wire.split_off(size.min(wire.len()));
                        receiver.receive(&std::mem::replace(&mut wire, rest)).expect("frames");
                    }
                    3 => { taken.extend(take(&mut receiver)); back = receiver.expected(); }
                    4 => drop(sender.acknowledge(back).expect("it was sent")),
                    _ if size < 40 => {
                        wire.clear();
                        connection += 1;
                        connect(&mut sender, &mut receiver, connection);
                        back = receiver.expected();
                    }
                    _ => {}
                }
                prop_assert!(sender.unsent_bytes() <= sender.window_bytes());
            }
            sender.flush(usize::MAX, 0, 0);
            wire.append(sender.output());
            receiver.receive(&wire).expect("frames");
            taken.extend(take(&mut receiver));
            prop_assert_eq!(taken, (1..=made).collect::<Vec<_>>());
        }
    }
}

//! Deltas: the effects of writes, numbered per watch, for whoever watches the slot.
//!
//! Applying them in order to a copy of what the slot held when the watch began gives what the slot holds now. Each watch
//! queues a run in segments, so that no queue, however long, is ever moved as a whole.

use std::collections::VecDeque;

use super::Shard;
use super::effect::Effect;
use crate::key::SlotId;

/// Names a watch of this shard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WatchId {
    place: u32,
    generation: u32,
}

/// What was taken of a watch's queue.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Taken {
    /// Effects that were taken.
    pub count: u64,
    /// The number of the last effect that was ever taken: 1 for the first since the watch began, then counting up; 0 if
    /// none was.
    pub last_sequence: u64,
}

/// A piece of a queue: a run.
#[derive(Default, Debug)]
struct Segment {
    bytes: Vec<u8>,
    /// Bytes that were taken. `0 <= taken <= bytes.len()`.
    taken: usize,
}

/// One watch of one slot.
#[derive(Debug)]
struct Watch {
    slot: SlotId,
    /// The next watch of the same slot, plus 1; 0 behind the last one.
    next: u32,
    queue: VecDeque<Segment>,
    queued_bytes: usize,
    queued_bytes_max: usize,
    taken_sequence: u64,
    overrun: bool,
}

/// The watches of one shard. Those of a slot are linked to one another; the slot knows the first one.
#[derive(Default, Debug)]
pub struct Watches {
    places: Vec<(u32, Option<Watch>)>,
    free: Vec<u32>,
    queued_bytes: usize,
    /// The effect that is told; kept for its memory.
    encoded: Vec<u8>,
}

/// Bytes at which a queue goes on in another segment.
const SEGMENT_BYTES: usize = 64 * 1024;

impl Watch {
    /// Queues one effect behind its length; on too many the watch is overrun. Answers the change in queued bytes.
    fn queue(&mut self, effect: &[u8]) {
        let is_full = |segment: &Segment| segment.bytes.len() + effect.len() > SEGMENT_BYTES;
        if self.queue.back().is_none_or(is_full) {
            self.queue.push_back(Segment::default());
        }
        self.queue.back_mut().expect("a segment with room").bytes.extend_from_slice(effect);
        self.queued_bytes += effect.len();
        if self.queued_bytes > self.queued_bytes_max {
            self.overrun = true;
            self.queue = VecDeque::new();
            self.queued_bytes = 0;
        }
    }

    /// Lets go of the first segment, which was taken whole; a small one is kept to be filled anew.
    fn leave_segment(&mut self) {
        const KEPT_BYTES_MAX: usize = 4 * 1024;
        let is_only = self.queue.len() == 1;
        match self.queue.front_mut() {
            Some(first) if is_only && first.bytes.capacity() <= KEPT_BYTES_MAX => {
                first.bytes.clear();
                first.taken = 0;
            }
            _ => drop(self.queue.pop_front()),
        }
    }

    /// Moves effects to `out` until `bytes_max` are there; one at least.
    fn take(&mut self, bytes_max: usize, out: &mut Vec<u8>) -> u64 {
        let (end, mut count) = (out.len().saturating_add(bytes_max), 0);
        while let Some(segment) = self.queue.front_mut() {
            let rest = &segment.bytes[segment.taken..];
            let Some(length) = super::effect::first_bytes(rest) else { break };
            if count > 0 && out.len() + length > end {
                break;
            }
            out.extend_from_slice(&rest[..length]);
            segment.taken += length;
            if segment.taken == segment.bytes.len() {
                self.leave_segment();
            }
            self.queued_bytes -= length;
            count += 1;
        }
        self.taken_sequence += count;
        count
    }
}

impl Watches {
    fn get(&self, id: WatchId) -> Option<&Watch> {
        let (generation, watch) = self.places.get(id.place as usize)?;
        watch.as_ref().filter(|_| *generation == id.generation)
    }

    fn get_mut(&mut self, id: WatchId) -> Option<&mut Watch> {
        let (generation, watch) = self.places.get_mut(id.place as usize)?;
        watch.as_mut().filter(|_| *generation == id.generation)
    }

    fn at(&mut self, link: u32) -> &mut Watch {
        self.places[link as usize - 1].1.as_mut().expect("a slot links its open watches only")
    }

    fn add(&mut self, watch: Watch) -> WatchId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            self.places.len() as u32 - 1
        });
        let (generation, held) = &mut self.places[place as usize];
        *generation = generation.wrapping_add(1);
        *held = Some(watch);
        WatchId { place, generation: *generation }
    }
}

impl Shard {
    /// Begins to queue the effects on a slot, up to `queued_bytes_max`; behind that the watch is overrun and its queue
    /// dropped.
    pub fn watch(&mut self, slot: SlotId, queued_bytes_max: usize) -> WatchId {
        let first = &mut self.slots[slot.number()].watch;
        let watch = Watch {
            slot,
            next: *first,
            queue: VecDeque::new(),
            queued_bytes: 0,
            queued_bytes_max,
            taken_sequence: 0,
            overrun: false,
        };
        let id = self.watches.add(watch);
        *first = id.place + 1;
        id
    }

    /// Takes deltas of a watch, as a run: until `bytes_max` are there, but one at least if there is one.
    pub fn take_deltas(&mut self, id: WatchId, bytes_max: usize, out: &mut Vec<u8>) -> Taken {
        let Some(watch) = self.watches.get_mut(id) else { return Taken::default() };
        let before = watch.queued_bytes;
        let count = watch.take(bytes_max, out);
        let taken = Taken { count, last_sequence: watch.taken_sequence };
        let bytes = before - watch.queued_bytes;
        self.watches.queued_bytes -= bytes;
        taken
    }

    /// Bytes that wait in a watch's queue.
    pub fn queued_delta_bytes(&self, id: WatchId) -> usize {
        self.watches.get(id).map_or(0, |watch| watch.queued_bytes)
    }

    /// Bytes that wait in the queues of all watches.
    pub fn all_queued_delta_bytes(&self) -> usize {
        self.watches.queued_bytes
    }

    /// Whether deltas of a watch were lost because nobody took them.
    pub fn is_overrun(&self, id: WatchId) -> bool {
        self.watches.get(id).is_none_or(|watch| watch.overrun)
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, id: WatchId) {
        let Some(watch) = self.watches.get(id) else { return };
        let (slot, next, own) = (watch.slot, watch.next, id.place + 1);
        self.watches.queued_bytes -= watch.queued_bytes;
        let mut link = self.slots[slot.number()].watch;
        if link == own {
            self.slots[slot.number()].watch = next;
        } else {
            while self.watches.at(link).next != own {
                link = self.watches.at(link).next;
            }
            self.watches.at(link).next = next;
        }
        self.watches.places[id.place as usize].1 = None;
        self.watches.free.push(id.place);
    }

    /// Whether anybody watches the slot.
    #[inline]
    pub(super) fn is_watched(&self, slot: SlotId) -> bool {
        self.slots[slot.number()].watch != 0
    }

    /// Queues an effect for all who watch the slot.
    pub(super) fn emit(&mut self, slot: SlotId, effect: &Effect<'_>) {
        if !self.is_watched(slot) {
            return;
        }
        let mut encoded = std::mem::take(&mut self.watches.encoded);
        effect.for_each_piece(|piece| {
            encoded.clear();
            piece.push_onto(&mut encoded);
            self.emit_encoded(slot, &encoded);
        });
        self.watches.encoded = encoded;
    }

    /// Queues an effect that stands behind its length.
    pub(super) fn emit_encoded(&mut self, slot: SlotId, effect: &[u8]) {
        let mut link = self.slots[slot.number()].watch;
        while link != 0 {
            let watch = self.watches.at(link);
            let before = watch.queued_bytes;
            if !watch.overrun {
                watch.queue(effect);
            }
            let after = watch.queued_bytes;
            link = watch.next;
            self.watches.queued_bytes = self.watches.queued_bytes + after - before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::effect::Run;
    use super::super::{Expiry, ShardLimits};
    use super::*;
    use crate::key::HashSeed;

    fn shard() -> Shard {
        Shard::new(HashSeed(3), ShardLimits::default()).expect("address space")
    }

    fn set(shard: &mut Shard, name: &[u8], value: &[u8]) {
        let key = shard.key(name);
        shard.write(&key, 0).set(value, Expiry::Clear).expect("room");
    }

    #[test]
    fn deltas_are_taken_in_order_and_in_any_cut() {
        let mut shard = shard();
        let slot = SlotId::of(b"k");
        let watch = shard.watch(slot, usize::MAX);
        for number in 0..20_000u32 {
            set(&mut shard, b"k", number.to_string().as_bytes());
            set(&mut shard, b"other", b"slot");
        }
        let queued = shard.queued_delta_bytes(watch);
        assert!(queued > 2 * SEGMENT_BYTES && queued == shard.all_queued_delta_bytes());
        let (mut run, mut sequence, mut bytes) = (Vec::new(), 0, 0);
        for bytes_max in (0..).map(|round: usize| round * 37 % 5000) {
            let before = run.len();
            let taken = shard.take_deltas(watch, bytes_max, &mut run);
            sequence += taken.count;
            bytes += run.len() - before;
            assert!(taken.count <= 1 || run.len() - before <= bytes_max);
            assert_eq!((taken.last_sequence, shard.queued_delta_bytes(watch)), (sequence, queued - bytes));
            if taken.count == 0 {
                break;
            }
        }
        assert_eq!((sequence, bytes, shard.all_queued_delta_bytes()), (20_000, queued, 0));
        for (number, effect) in Run::new(&run).enumerate() {
            let Ok(Effect::Set { value, .. }) = effect else { panic!("{effect:?}") };
            assert_eq!(value, number.to_string().as_bytes());
        }
    }

    #[test]
    fn every_watch_of_a_slot_is_told_until_it_ends() {
        let mut shard = shard();
        let slot = SlotId::of(b"k");
        let elsewhere: Vec<WatchId> =
            (0..1000).filter_map(SlotId::new).map(|slot| shard.watch(slot, usize::MAX)).collect();
        let watches: Vec<WatchId> = (0..4).map(|_| shard.watch(slot, usize::MAX)).collect();
        set(&mut shard, b"k", b"1");
        for gone in [2, 0, 3, 1] {
            shard.unwatch(watches[gone]);
            shard.unwatch(watches[gone]);
            set(&mut shard, b"k", b"2");
            assert_eq!((shard.queued_delta_bytes(watches[gone]), shard.is_overrun(watches[gone])), (0, true));
        }
        let again = shard.watch(slot, usize::MAX);
        set(&mut shard, b"k", b"3");
        let count = |shard: &mut Shard, id| shard.take_deltas(id, usize::MAX, &mut Vec::new()).count;
        assert_eq!(count(&mut shard, again), 1);
        assert_eq!(
            watches.iter().map(|id| count(&mut shard, *id)).sum::<u64>(),
            0,
            "their place is another's"
        );
        assert_eq!(elsewhere.iter().map(|id| count(&mut shard, *id)).sum::<u64>(), 0);
        elsewhere.iter().chain([&again]).for_each(|id| shard.unwatch(*id));
        assert_eq!(shard.all_queued_delta_bytes(), 0);
        assert!(shard.slots.iter().all(|slot| slot.watch == 0));
    }

    #[test]
    fn a_queue_beyond_its_limit_is_dropped_and_its_owner_is_told() {
        let mut shard = shard();
        let slot = SlotId::of(b"k");
        let watches = [shard.watch(slot, 1000), shard.watch(slot, usize::MAX)];
        (0..3).for_each(|_| set(&mut shard, b"k", &[b'v'; 300]));
        assert!(!shard.is_overrun(watches[0]));
        (0..3).for_each(|_| set(&mut shard, b"k", &[b'v'; 300]));
        assert!(shard.is_overrun(watches[0]) && !shard.is_overrun(watches[1]));
        assert_eq!(shard.queued_delta_bytes(watches[0]), 0);
        assert_eq!(shard.all_queued_delta_bytes(), shard.queued_delta_bytes(watches[1]));
        assert_eq!(shard.take_deltas(watches[0], usize::MAX, &mut Vec::new()), Taken::default());
        watches.iter().for_each(|id| shard.unwatch(*id));
    }
}

//! The agenda: what happens when. Virtual time passes only by taking the next event from here.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An event with its time. Events of one time come in the order in which they were put down.
#[derive(Debug)]
struct Entry<E> {
    at_us: u64,
    number: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    /// The heap shows its greatest: the earliest is.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_us, other.number).cmp(&(self.at_us, self.number))
    }
}

/// What happens when.
#[derive(Debug)]
pub struct Agenda<E> {
    heap: BinaryHeap<Entry<E>>,
    last: u64,
    now_us: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda { heap: BinaryHeap::new(), last: 0, now_us: 0 }
    }
}

impl<E> Agenda<E> {
    /// The time of the event that was taken last.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Puts an event down; one of the past happens now.
    pub fn at(&mut self, at_us: u64, event: E) {
        self.last += 1;
        self.heap.push(Entry { at_us: at_us.max(self.now_us), number: self.last, event });
    }

    /// Puts an event down for after a while.
    pub fn after(&mut self, delay_us: u64, event: E) {
        self.at(self.now_us + delay_us, event);
    }

    /// The next event; time is then its time.
    pub fn next(&mut self) -> Option<E> {
        let entry = self.heap.pop()?;
        self.now_us = entry.at_us;
        Some(entry.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order() {
        let mut agenda = Agenda::default();
        for (at_us, event) in [(30, 'd'), (10, 'a'), (20, 'b'), (20, 'c')] {
            agenda.at(at_us, event);
        }
        let mut taken = String::new();
        while let Some(event) = agenda.next() {
            taken.push(event);
            if event == 'c' {
                agenda.at(5, 'x');
                agenda.after(11, 'e');
            }
        }
        assert_eq!((taken.as_str(), agenda.now_us()), ("abcxde", 31));
    }
}

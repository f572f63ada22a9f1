//! The thread that has the kernel back memory before a core needs it, and take back what no core needs any more.
//!
//! It has no lower priority than the cores: the kernel holds locks meanwhile that a core may need, and a thread that has to
//! wait for a CPU would hold them for long. A core that comes first does it by itself. On a machine with several memory nodes there
//! is no such thread: memory belongs to the node of the core that uses it, hence of the thread that touches it first.

use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use whimbrel_engine::arena::Backing;
use whimbrel_engine::memory::Returned;
use whimbrel_net::run_promptly;

/// What may wait of all cores' orders: those of a string of 512 MiB that is dropped, and some.
const WAITING_MAX: usize = 4096;

/// What a core would have the kernel do.
#[derive(Debug)]
enum Order {
    Back(Backing),
    Return(Returned),
}

/// Where cores say what they are going to need, and what they do not need any more.
#[derive(Debug)]
pub struct MemoryAhead {
    sender: Option<SyncSender<Order>>,
}

impl MemoryAhead {
    /// Starts the thread. It ends when this is dropped.
    pub fn start() -> io::Result<MemoryAhead> {
        if fs::read_to_string("/sys/devices/system/node/online").is_ok_and(|nodes| has_several(&nodes)) {
            return Ok(MemoryAhead { sender: None });
        }
        let (sender, receiver) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("memory".to_owned()).spawn(move || carry_out_all(&receiver))?;
        Ok(MemoryAhead { sender: Some(sender) })
    }

    /// Whether anybody backs memory ahead.
    #[inline]
    pub fn is_there(&self) -> bool {
        self.sender.is_some()
    }

    /// Has a region backed as soon as there is time. What finds no room is left to the core.
    pub fn back(&self, backing: Backing) {
        if let Some(sender) = &self.sender {
            let _ = sender.try_send(Order::Back(backing));
        }
    }

    /// Has memory go back as soon as there is time, or now if too much waits already or nobody is there.
    pub fn give_back(&self, returned: Returned) {
        if let Some(sender) = &self.sender {
            let _ = sender.try_send(Order::Return(returned));
        }
    }
}

fn carry_out_all(receiver: &Receiver<Order>) {
    run_promptly();
    receiver.iter().for_each(|order| match order {
        Order::Back(backing) => backing.back(),
        Order::Return(returned) => drop(returned),
    });
}

/// Whether a list of numbers, as the kernel writes them (`0`, `0-1`, `0,2`), has more than one.
fn has_several(list: &str) -> bool {
    list.contains(['-', ','])
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::arena::{Arena, Purpose};

    #[test]
    fn what_is_wanted_is_backed() {
        let (sender, receiver) = sync_channel(4);
        let memory = MemoryAhead { sender: Some(sender) };
        let thread = std::thread::spawn(move || carry_out_all(&receiver));
        let mut arena = Arena::new().expect("address space");
        arena.allocate(Purpose::Object, 100).expect("room");
        memory.back(arena.take_backing().expect("the region behind the first one"));
        drop(memory);
        thread.join().expect("it ends with its sender");
        assert_eq!(arena.ahead_bytes(), 2 << 20);
    }

    #[test]
    fn what_is_returned_is_given_back() {
        let mut arenas = [(); 2].map(|()| Arena::new().expect("address space"));
        let (sender, receiver) = sync_channel(1);
        let memory = MemoryAhead { sender: Some(sender) };
        let objects = arenas.each_mut().map(|arena| {
            let object = arena.allocate(Purpose::Object, 8).expect("room");
            arena.write(object, 0, b"whimbrel");
            arena.free(object);
            memory.give_back(Returned::Page(arena.return_page(0).expect("an empty page")));
            object
        });
        let is_zero = |place: usize| *arenas[place].get::<u64>(objects[place]) == 0;
        assert!(!is_zero(0) && is_zero(1), "one waits, and one found no room");
        drop(memory);
        carry_out_all(&receiver);
        assert!(is_zero(0));
    }

    #[test]
    fn lists_of_nodes() {
        assert!(!has_several("0\n") && has_several("0-1\n") && has_several("0,2\n"));
    }
}

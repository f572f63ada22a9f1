//! Memory that goes back to the kernel by a thread that has time for it.
//!
//! The call for one page takes some 10 µs on bare metal, and ten times that where the machine is itself a guest: longer than
//! all else that a turn of freeing does. So an arena hands a page out with the order to return it, and uses it again when that
//! was carried out, by whatever thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::map::Reservation;
use super::page::{PAGE_BYTES, PageIndex};

/// An empty page whose memory goes back to the kernel when this is dropped.
#[derive(Debug)]
pub struct ReturningPage {
    /// Keeps the range mapped.
    reservation: Arc<Reservation>,
    index: PageIndex,
    is_done: Arc<AtomicBool>,
}

impl Drop for ReturningPage {
    fn drop(&mut self) {
        self.reservation.release(self.index.at() * PAGE_BYTES, PAGE_BYTES);
        self.is_done.store(true, Ordering::Release);
    }
}

/// The pages on their way back, in the order in which they were handed out.
#[derive(Default, Debug)]
pub struct Returning {
    pages: VecDeque<(PageIndex, Arc<AtomicBool>)>,
}

impl Returning {
    /// A page begins its way.
    pub fn begin(&mut self, reservation: Arc<Reservation>, index: PageIndex) -> ReturningPage {
        let is_done = Arc::new(AtomicBool::new(false));
        self.pages.push_back((index, Arc::clone(&is_done)));
        ReturningPage { reservation, index, is_done }
    }

    /// The first page, if its memory is the kernel's by now.
    pub fn end_first(&mut self) -> Option<PageIndex> {
        self.pages.pop_front_if(|(_, is_done)| is_done.load(Ordering::Acquire)).map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arena, Purpose};
    use super::*;

    #[test]
    fn a_page_on_its_way_is_used_again_when_it_was_returned() {
        let mut arena = Arena::new().expect("address space");
        let objects: Vec<_> = (0..3 * PAGE_BYTES / 8192)
            .map(|_| arena.allocate(Purpose::Object, 8192).expect("room"))
            .collect();
        let first = objects[0];
        arena.write(first, 0, &[7; 8192]);
        objects.into_iter().for_each(|object| arena.free(object));
        let free = arena.usage().idle_bytes / PAGE_BYTES as u64;
        assert!(arena.return_page(free).is_none(), "all of them are to be kept");
        let pages: Vec<_> = std::iter::from_fn(|| arena.return_page(0)).collect();
        assert_eq!((pages.len() as u64, arena.usage().idle_bytes), (free, 0));

        let meanwhile = arena.allocate(Purpose::Object, 8192).expect("room");
        assert_ne!(meanwhile, first, "the page is on its way");
        std::thread::spawn(move || drop(pages)).join().expect("it returns pages");
        let again: Vec<_> = (0..PAGE_BYTES / 8192 + 1)
            .map(|_| arena.allocate(Purpose::Object, 8192).expect("room"))
            .collect();
        assert!(again.contains(&first));
        assert!(arena.slice::<u8>(first, 8192).iter().all(|byte| *byte == 0));
    }
}

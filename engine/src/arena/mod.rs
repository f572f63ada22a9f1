//! The memory of one shard: size classes in 64 KiB pages, named by 32-bit references.
//!
//! A page holds allocations of one class and one purpose. Emptied pages are reused, lowest first, and their memory goes
//! back to the kernel by [`Arena::return_page`]. Sparse pages can be emptied by moving what they hold: an owner
//! asks [`Arena::is_sparse`] of each reference it holds, allocates anew, copies and frees.
//!
//! All accessors are safe: a stale reference reads other bytes of the same arena, never foreign memory (see `map`).

mod ahead;
mod class;
mod map;
mod page;
mod poison;
mod returning;
mod simd;
mod system;

use bytemuck::{Pod, Zeroable};

pub use ahead::Backing;
pub use class::{CLASS_BYTES_MAX, CLASS_COUNT, SizeClass, UNIT_BYTES};
use map::{ADDRESSABLE_BYTES, Mapping, REGION_BYTES};
use page::{FreePages, PAGE_BYTES, PAGE_UNITS, Page, PageIndex};
pub use returning::ReturningPage;
pub use simd::{equal_bytes, prefetch};
pub use system::return_freed_mappings;

/// A place in an arena: a count of 8-byte units. Zero is nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct Ref(pub u32);

impl Ref {
    /// Refers to nothing.
    pub const NONE: Ref = Ref(0);

    /// Whether this refers to nothing.
    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What an allocation is for; pages never mix purposes, so a page of objects holds nothing but objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A key with its value, or a field with its value.
    Object,
    /// A node of a table.
    Node,
}

const PURPOSES: usize = 2;

/// Why an arena could not be had or could not give memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ArenaError {
    /// The kernel refused the address range: raise `ulimit -v`, or set `vm.overcommit_memory` to 0 or 1.
    Reserve,
    /// All 32 GiB of the arena are in use: spread the slots over more cores.
    Full,
}

impl std::fmt::Display for ArenaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ArenaError::Reserve => {
                "cannot reserve 32 GiB of address space for a core: raise `ulimit -v` or set vm.overcommit_memory to 0 or 1"
            }
            ArenaError::Full => "the arena of this core is full (32 GiB): use more cores",
        })
    }
}

impl std::error::Error for ArenaError {}

/// What an arena holds, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ArenaUsage {
    /// Bytes of allocations, each at its class' size.
    pub allocated_bytes: u64,
    /// Bytes of pages that hold at least one allocation.
    pub page_bytes: u64,
    /// Bytes of empty pages whose memory has not gone back to the kernel.
    pub idle_bytes: u64,
}

/// The memory of one shard.
#[derive(Debug)]
pub struct Arena {
    mapping: Mapping,
    pages: Vec<Page>,
    free_pages: FreePages,
    /// By purpose and class: the first page of the list of pages with room.
    with_room: [[PageIndex; CLASS_COUNT]; PURPOSES],
    allocated_bytes: u64,
    pages_in_use: u64,
    ahead: ahead::Ahead,
    returning: returning::Returning,
}

impl Arena {
    /// Reserves the address range of an arena.
    pub fn new() -> Result<Arena, ArenaError> {
        Ok(Arena {
            mapping: Mapping::reserve()?,
            pages: {
                // Room for all of them, lazily backed, so that the list is never moved as a whole. Page 0 is never handed
                // out: reference 0 means nothing.
                let mut pages = Vec::with_capacity(ADDRESSABLE_BYTES / PAGE_BYTES);
                pages.push(Page::default());
                pages
            },
            free_pages: FreePages::default(),
            with_room: [[PageIndex::NONE; CLASS_COUNT]; PURPOSES],
            allocated_bytes: 0,
            pages_in_use: 0,
            ahead: ahead::Ahead::default(),
            returning: returning::Returning::default(),
        })
    }

    /// Allocates at least `bytes` bytes; their contents are whatever was there.
    #[inline]
    pub fn allocate(&mut self, purpose: Purpose, bytes: usize) -> Result<Ref, ArenaError> {
        let class = SizeClass::holding(bytes);
        let mut index = self.with_room[purpose as usize][class.index()];
        if index.is_none() {
            index = self.open_page(purpose, class)?;
        }
        let page = &mut self.pages[index.at()];
        let unit = if page.free_unit == Page::NO_UNIT {
            let unit = page.fresh_unit;
            page.fresh_unit += class.units() as u16;
            // The next one's stores would wait for lines that nothing has touched.
            self.mapping.prefetch_whole(
                Ref(index.first_unit().saturating_add(page.fresh_unit.into())),
                class.bytes(),
            );
            unit
        } else {
            let unit = page.free_unit;
            let link = Ref(index.first_unit() + u32::from(unit));
            poison::unpoison(self.mapping.pointer(link), UNIT_BYTES);
            page.free_unit = u64::from_le(*self.mapping.get::<u64>(link)) as u16;
            unit
        };
        page.used += 1;
        if !page.has_room(class) {
            self.unlink(index, purpose, class);
        }
        let reference = Ref(index.first_unit() + u32::from(unit));
        poison::unpoison(self.mapping.pointer(reference), class.bytes());
        self.allocated_bytes += class.bytes() as u64;
        Ok(reference)
    }

    /// Frees an allocation.
    #[inline]
    pub fn free(&mut self, reference: Ref) {
        let index = PageIndex::of(reference);
        let page = &mut self.pages[index.at()];
        assert!(page.used > 0, "freed reference {reference:?} lies in an empty page");
        let class = page.class();
        let purpose = page.purpose();
        let had_room = page.has_room(class);
        // The first unit stays readable: its upper bytes are 0, which tells whoever holds a stale reference.
        poison::unpoison(self.mapping.pointer(reference), UNIT_BYTES);
        *self.mapping.get_mut::<u64>(reference) = u64::from(page.free_unit).to_le();
        poison::poison(self.mapping.pointer(Ref(reference.0 + 1)), class.bytes() - UNIT_BYTES);
        page.free_unit = (reference.0 % PAGE_UNITS) as u16;
        page.used -= 1;
        let empty = page.used == 0;
        self.allocated_bytes -= class.bytes() as u64;
        if empty {
            if had_room {
                self.unlink(index, purpose, class);
            }
            self.pages_in_use -= 1;
            self.free_pages.insert(index);
        } else if !had_room {
            self.link(index, purpose, class);
        }
    }

    /// The bytes that an allocation of `bytes` really takes.
    pub fn rounded(bytes: usize) -> usize {
        SizeClass::holding(bytes).bytes()
    }

    /// The bytes that the allocation at a reference takes.
    #[inline]
    pub fn size(&self, reference: Ref) -> usize {
        self.pages[PageIndex::of(reference).at()].class().bytes()
    }

    /// The value of a plain type at a reference.
    #[inline]
    pub fn get<T: Pod>(&self, at: Ref) -> &T {
        self.mapping.get(at)
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut<T: Pod>(&mut self, at: Ref) -> &mut T {
        self.mapping.get_mut(at)
    }

    /// `count` values of a plain type at a reference.
    #[inline]
    pub fn slice<T: Pod>(&self, at: Ref, count: usize) -> &[T] {
        self.mapping.slice(at, count)
    }

    /// The same, to be changed.
    #[inline]
    pub fn slice_mut<T: Pod>(&mut self, at: Ref, count: usize) -> &mut [T] {
        self.mapping.slice_mut(at, count)
    }

    /// Copies bytes behind a reference.
    #[inline]
    pub fn write(&mut self, at: Ref, offset: usize, bytes: &[u8]) {
        self.mapping.write(at, offset, bytes);
    }

    /// Copies bytes from one allocation to another.
    #[inline]
    pub fn copy(&mut self, from: Ref, to: Ref, length: usize) {
        self.mapping.copy(from, to, length);
    }

    /// Asks the processor to fetch the cache line at a reference.
    #[inline]
    pub fn prefetch(&self, at: Ref) {
        self.mapping.prefetch(at);
    }

    /// What the arena holds.
    pub fn usage(&self) -> ArenaUsage {
        ArenaUsage {
            allocated_bytes: self.allocated_bytes,
            page_bytes: self.pages_in_use * PAGE_BYTES as u64,
            idle_bytes: self.free_pages.backed() * PAGE_BYTES as u64,
        }
    }

    /// A region that the arena is going to need, for a thread that has time to back it.
    #[inline]
    pub fn take_backing(&mut self) -> Option<Backing> {
        self.ahead.take(&self.mapping)
    }

    /// Whether memory is backed ahead that an arena does not need unless it grows.
    pub fn has_more_ahead(&self) -> bool {
        self.ahead.has_more()
    }

    /// Gives a region back that is backed ahead beyond the first one, unless the arena has grown since the last call.
    pub fn settle_ahead(&mut self) {
        self.ahead.settle(&self.mapping);
    }

    /// Bytes that are backed ahead of need.
    pub fn ahead_bytes(&self) -> u64 {
        self.ahead.bytes()
    }

    /// An empty page whose memory is to go back to the kernel, if more than `keep` of them still have some. Whoever drops it
    /// carries that out; until then the arena does not use the page.
    pub fn return_page(&mut self, keep: u64) -> Option<ReturningPage> {
        self.settle_returning();
        if self.free_pages.backed() <= keep {
            return None;
        }
        let index = self.free_pages.take_backed()?;
        Some(self.returning.begin(self.mapping.reservation(), index))
    }

    /// Takes the pages back that were returned.
    fn settle_returning(&mut self) {
        while let Some(index) = self.returning.end_first() {
            self.free_pages.insert_returned(index);
        }
    }

    /// Whether the allocation lies in a page that is at most `percent_max` full while another page of its kind has room:
    /// moving it lets the page be emptied.
    pub fn is_sparse(&self, reference: Ref, percent_max: usize) -> bool {
        let index = PageIndex::of(reference);
        let page = &self.pages[index.at()];
        let class = page.class();
        let first = self.with_room[page.purpose() as usize][class.index()];
        let capacity = PAGE_UNITS as usize / class.units();
        first != index && usize::from(page.used) * 100 <= capacity * percent_max
    }

    /// Puts the fullest page of each of the first pages with room in front, so that moves fill it rather than a sparse one.
    pub fn prefer_full_pages(&mut self) {
        for purpose in [Purpose::Object, Purpose::Node] {
            for class in (0..CLASS_COUNT).map(SizeClass::at) {
                self.prefer_fullest(purpose, class);
            }
        }
    }

    fn prefer_fullest(&mut self, purpose: Purpose, class: SizeClass) {
        /// Pages looked at for each class.
        const LOOKED_AT_MAX: usize = 64;
        let mut index = self.with_room[purpose as usize][class.index()];
        let mut fullest = index;
        for _ in 0..LOOKED_AT_MAX {
            if index.is_none() {
                break;
            }
            if self.pages[index.at()].used > self.pages[fullest.at()].used {
                fullest = index;
            }
            index = self.pages[index.at()].next;
        }
        if !fullest.is_none() && fullest != self.with_room[purpose as usize][class.index()] {
            self.unlink(fullest, purpose, class);
            self.link(fullest, purpose, class);
        }
    }

    fn open_page(&mut self, purpose: Purpose, class: SizeClass) -> Result<PageIndex, ArenaError> {
        self.settle_returning();
        let index = match self.free_pages.take_lowest() {
            Some(index) => index,
            None => self.fresh_page()?,
        };
        self.pages[index.at()] = Page::opened(purpose, class);
        poison::poison(self.mapping.pointer(Ref(index.first_unit())), PAGE_BYTES);
        self.pages_in_use += 1;
        self.link(index, purpose, class);
        Ok(index)
    }

    fn fresh_page(&mut self) -> Result<PageIndex, ArenaError> {
        let at = self.pages.len();
        if (at + 1) * PAGE_BYTES > ADDRESSABLE_BYTES {
            return Err(ArenaError::Full);
        }
        let pages_per_region = REGION_BYTES / PAGE_BYTES;
        if at == 1 || at.is_multiple_of(pages_per_region) {
            self.ahead.enter();
        }
        self.pages.push(Page::default());
        Ok(PageIndex::new(at))
    }

    fn link(&mut self, index: PageIndex, purpose: Purpose, class: SizeClass) {
        let first = std::mem::replace(&mut self.with_room[purpose as usize][class.index()], index);
        if !first.is_none() {
            self.pages[first.at()].previous = index;
        }
        let page = &mut self.pages[index.at()];
        page.next = first;
        page.previous = PageIndex::NONE;
    }

    fn unlink(&mut self, index: PageIndex, purpose: Purpose, class: SizeClass) {
        let page = &mut self.pages[index.at()];
        let (previous, next) = (page.previous, page.next);
        page.previous = PageIndex::NONE;
        page.next = PageIndex::NONE;
        if previous.is_none() {
            self.with_room[purpose as usize][class.index()] = next;
        } else {
            self.pages[previous.at()].next = next;
        }
        if !next.is_none() {
            self.pages[next.at()].previous = previous;
        }
    }

    /// Whether an object begins at the reference, or began there and was freed: the page holds objects and a unit of that
    /// page's class begins there. Of a freed one the first eight bytes may be read; but for the first two they are 0.
    pub fn may_be_object(&self, reference: Ref) -> bool {
        let index = PageIndex::of(reference);
        self.pages.get(index.at()).is_some_and(|page| {
            let unit = reference.0 % PAGE_UNITS;
            page.used > 0
                && page.purpose() == Purpose::Object
                && unit.is_multiple_of(page.class().units() as u32)
                && unit < u32::from(page.fresh_unit)
        })
    }
}

#[cfg(test)]
mod tests;

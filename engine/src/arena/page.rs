//! Pages: 64 KiB of one class and purpose, what is known of each, and the set of empty ones.

use super::class::{SizeClass, UNIT_BYTES};
use super::{Purpose, Ref};

/// Bytes in a page.
pub const PAGE_BYTES: usize = 64 * 1024;

/// Units in a page.
pub const PAGE_UNITS: u32 = (PAGE_BYTES / UNIT_BYTES) as u32;

/// The number of a page. Zero is no page.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PageIndex(u32);

impl PageIndex {
    /// No page.
    pub const NONE: PageIndex = PageIndex(0);

    /// The page with this number.
    pub fn new(at: usize) -> PageIndex {
        PageIndex(at as u32)
    }

    /// The page that a reference lies in.
    #[inline]
    pub fn of(reference: Ref) -> PageIndex {
        PageIndex(reference.0 / PAGE_UNITS)
    }

    /// The number, to index with.
    #[inline]
    pub fn at(self) -> usize {
        self.0 as usize
    }

    /// Whether this is no page.
    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The unit that the page begins at.
    #[inline]
    pub fn first_unit(self) -> u32 {
        self.0 * PAGE_UNITS
    }
}

/// What is known of one page.
#[derive(Clone, Copy, Default, Debug)]
pub struct Page {
    class: u8,
    purpose: u8,
    /// Allocations in use.
    pub used: u16,
    /// The first unit of the list of freed allocations, or [`Page::NO_UNIT`].
    pub free_unit: u16,
    /// The unit from which on nothing was ever allocated. `0 <= fresh_unit <= PAGE_UNITS`.
    pub fresh_unit: u16,
    /// Neighbours in the list of pages with room.
    pub next: PageIndex,
    /// See `next`.
    pub previous: PageIndex,
}

const _: () = assert!(size_of::<Page>() == 16);

impl Page {
    /// The end of the list of freed allocations.
    pub const NO_UNIT: u16 = u16::MAX;

    /// A page that has just been given a class.
    pub fn opened(purpose: Purpose, class: SizeClass) -> Page {
        Page {
            class: class.index() as u8,
            purpose: purpose as u8,
            free_unit: Page::NO_UNIT,
            ..Page::default()
        }
    }

    /// The size class of the page's allocations.
    #[inline]
    pub fn class(&self) -> SizeClass {
        SizeClass::at(usize::from(self.class))
    }

    /// What the page's allocations are for.
    #[inline]
    pub fn purpose(&self) -> Purpose {
        if self.purpose == Purpose::Object as u8 { Purpose::Object } else { Purpose::Node }
    }

    /// Whether one more allocation fits.
    #[inline]
    pub fn has_room(&self, class: SizeClass) -> bool {
        self.free_unit != Page::NO_UNIT || usize::from(self.fresh_unit) + class.units() <= PAGE_UNITS as usize
    }
}

/// The empty pages, as bits: which are free, and which of those still have memory behind them.
#[derive(Default, Debug)]
pub struct FreePages {
    free: Vec<u64>,
    backed: Vec<u64>,
    backed_count: u64,
    /// No free page lies in a word below this one.
    lowest_word: usize,
    /// No backed free page lies in a word above this one.
    highest_word: usize,
}

impl FreePages {
    /// How many free pages have memory behind them.
    pub fn backed(&self) -> u64 {
        self.backed_count
    }

    /// Adds a page that has just been emptied.
    pub fn insert(&mut self, index: PageIndex) {
        let (word, bit) = (index.at() / 64, 1 << (index.at() % 64));
        if word >= self.free.len() {
            self.free.resize(word + 1, 0);
            self.backed.resize(word + 1, 0);
        }
        self.free[word] |= bit;
        self.backed[word] |= bit;
        self.backed_count += 1;
        self.lowest_word = self.lowest_word.min(word);
        self.highest_word = self.highest_word.max(word);
    }

    /// Takes the lowest free page for use.
    pub fn take_lowest(&mut self) -> Option<PageIndex> {
        while self.lowest_word < self.free.len() {
            let word = self.lowest_word;
            if self.free[word] != 0 {
                let bit = self.free[word].trailing_zeros();
                self.free[word] &= !(1 << bit);
                if self.backed[word] & (1 << bit) != 0 {
                    self.backed[word] &= !(1 << bit);
                    self.backed_count -= 1;
                }
                return Some(PageIndex::new(word * 64 + bit as usize));
            }
            self.lowest_word += 1;
        }
        None
    }

    /// Takes the highest free page with memory behind it, for that to go back to the kernel.
    pub fn take_backed(&mut self) -> Option<PageIndex> {
        if self.backed_count == 0 {
            return None;
        }
        while self.backed[self.highest_word] == 0 {
            self.highest_word = self.highest_word.checked_sub(1)?;
        }
        let word = self.highest_word;
        let bit = 63 - self.backed[word].leading_zeros();
        self.free[word] &= !(1 << bit);
        self.backed[word] &= !(1 << bit);
        self.backed_count -= 1;
        Some(PageIndex::new(word * 64 + bit as usize))
    }

    /// The memory of a page that was taken for it went back to the kernel: the page is free again.
    pub fn insert_returned(&mut self, index: PageIndex) {
        let word = index.at() / 64;
        self.free[word] |= 1 << (index.at() % 64);
        self.lowest_word = self.lowest_word.min(word);
    }
}

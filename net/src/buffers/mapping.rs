//! Anonymous memory straight from the kernel: page-aligned, zeroed, and only paid for once touched.

use std::io;
use std::ptr::NonNull;

/// A private mapping, unmapped on drop.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    length: usize,
    is_leaked: bool,
}

impl Mapping {
    pub fn new(length: usize) -> io::Result<Self> {
        assert!(length > 0, "a mapping has at least one byte");
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping replaces nothing of ours.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).expect("mmap never maps page zero unasked");
        Ok(Self { start, length, is_leaked: false })
    }

    /// The first byte; `length` bytes are readable and writable from it.
    pub fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    pub fn length(&self) -> usize {
        self.length
    }

    /// Keeps the mapping until the process ends.
    pub fn leak(&mut self) {
        self.is_leaked = true;
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.is_leaked {
            return;
        }
        // SAFETY: exactly the range that `new` mapped; its owner made sure that nobody touches it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

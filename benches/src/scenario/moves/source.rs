//! What a move costs its source: the peak of its memory, looked at while something else goes on.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::machine::family::proportional_bytes;

/// Time between two looks: each walks the process' pages.
const INTERVAL: Duration = Duration::from_millis(25);

/// Most memory that the process and its children had until `stop` was set.
pub fn peak_bytes(pid: u32, stop: &AtomicBool) -> io::Result<u64> {
    let mut peak = 0;
    while !stop.load(Ordering::Relaxed) {
        peak = proportional_bytes(pid)?.max(peak);
        thread::sleep(INTERVAL);
    }
    Ok(peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_outlives_what_was_given_back() {
        let stop = AtomicBool::new(false);
        let peak = thread::scope(|scope| {
            let watch = scope.spawn(|| peak_bytes(std::process::id(), &stop));
            let block = std::hint::black_box(vec![1u8; 64 << 20]);
            thread::sleep(INTERVAL * 8);
            drop(block);
            thread::sleep(INTERVAL * 4);
            stop.store(true, Ordering::Relaxed);
            watch.join().unwrap().unwrap()
        });
        assert!(peak > 64 << 20, "{peak}");
    }
}

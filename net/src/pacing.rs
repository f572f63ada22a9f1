//! Pacing of a socket: what the kernel sends a second, and how much it holds that is not sent.

use std::os::fd::AsFd;

use crate::ring::system;

/// Bytes that the kernel keeps unsent for a paced socket: enough to fill the wire between two turns of the loop. What
/// waits behind them waits with us, where it can be told how long.
const UNSENT_BYTES_MAX: u32 = 256 * 1024;

/// At low rates it keeps less: what goes in so many parts of a second, and a few segments.
const UNSENT_PART: u64 = 128;

/// The few segments.
const UNSENT_BYTES_MIN: u32 = 16 * 1024;

/// Has the kernel send no more than so many bytes a second on a TCP socket; none sets no limit. It may change at any time.
/// Within a hundredth of a second the kernel sends in bursts.
pub fn pace(socket: &impl AsFd, bytes_per_second: Option<u64>) {
    system::set_pacing_rate(socket.as_fd(), bytes_per_second.unwrap_or(u64::MAX));
    system::set_unsent_bytes_max(socket.as_fd(), unsent_bytes_max(bytes_per_second));
}

fn unsent_bytes_max(bytes_per_second: Option<u64>) -> u32 {
    let bytes = bytes_per_second
        .map_or(UNSENT_BYTES_MAX, |rate| u32::try_from(rate / UNSENT_PART).unwrap_or(u32::MAX));
    bytes.clamp(UNSENT_BYTES_MIN, UNSENT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_kernel_keeps_a_small_part_of_a_second() {
        let rates = [None, Some(1_000), Some(10_000_000), Some(200_000_000), Some(u64::MAX)];
        let kept = rates.map(unsent_bytes_max);
        assert_eq!(kept, [UNSENT_BYTES_MAX, UNSENT_BYTES_MIN, 78_125, UNSENT_BYTES_MAX, UNSENT_BYTES_MAX]);
    }

    #[test]
    fn a_paced_socket_takes_its_time() {
        const RATE: u64 = 8_000_000;
        const BYTES: usize = 2_000_000;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut sender = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let (mut receiver, _) = listener.accept().expect("a connection");
        pace(&sender, Some(RATE));
        let start = Instant::now();
        let sending = std::thread::spawn(move || sender.write_all(&vec![7; BYTES]).expect("it is read"));
        let mut received = 0;
        let mut chunk = vec![0; 64 * 1024];
        while received < BYTES {
            received += receiver.read(&mut chunk).expect("bytes come");
        }
        sending.join().expect("the sender ends");
        let seconds = start.elapsed().as_secs_f64();
        let least = BYTES as f64 / RATE as f64;
        assert!(seconds > least * 0.7, "{seconds} s for what takes {least} s");
    }
}

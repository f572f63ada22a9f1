//! Signals: the first SIGTERM or SIGINT asks for a graceful stop, the second one ends the process at once; SIGHUP opens
//! the log file again.

use crate::log;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;

/// What a process that was ended by a signal leaves with, less the signal's number.
const STATUS_BASE: i32 = 128;

/// Watches for signals on a thread of its own. `stop` is called once, on that thread, and must not wait.
pub fn watch(stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let watching = move || {
        let mut stop = Some(stop);
        for signal in signals.forever() {
            match (signal, stop.take()) {
                (SIGHUP, unused) => {
                    stop = unused;
                    log::reopen();
                }
                (signal, Some(stop)) => {
                    log::warning(format_args!(
                        "Received {}, stopping; once more to stop at once",
                        name(signal)
                    ));
                    stop();
                }
                (signal, None) => {
                    log::warning(format_args!("Received {} again, leaving at once", name(signal)));
                    std::process::exit(STATUS_BASE + signal);
                }
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(watching)?;
    Ok(())
}

fn name(signal: i32) -> &'static str {
    match signal {
        SIGTERM => "SIGTERM",
        SIGINT => "SIGINT",
        _ => "a signal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn the_first_signal_asks_for_a_stop() {
        let (sender, receiver) = channel();
        watch(move || sender.send(()).unwrap()).unwrap();
        signal_hook::low_level::raise(SIGHUP).unwrap();
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        signal_hook::low_level::raise(SIGTERM).unwrap();
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}

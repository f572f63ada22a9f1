//! Log lines as Redis writes them: `pid:M 21 Nov 2026 04:55:43.126Z * text`, in UTC.
//!
//! A line is handed to a thread of its own through a bounded queue, so no core ever waits for a disk or a terminal. What
//! does not fit into the queue is counted, and the count is logged when there is room again.

use std::fmt::{self, Display, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use whimbrel_engine::config::LogLevel;

/// Lines that may wait for the log's thread.
const LINES_WAITING_MAX: usize = 1024;

static QUEUE: OnceLock<SyncSender<Message>> = OnceLock::new();
static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Notice as u8);
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum Message {
    Line(String),
    Reopen,
    End,
}

/// The log's thread; ends, with everything written, when this is dropped.
#[derive(Debug)]
pub struct Log(Option<JoinHandle<()>>);

/// Starts the log: into `path`, or to stderr if that is `None`. Until then, lines go to stderr at once.
pub fn start(path: Option<PathBuf>, level: LogLevel) -> io::Result<Log> {
    let sink = Sink::open(path)?;
    set_level(level);
    let (sender, receiver) = sync_channel(LINES_WAITING_MAX);
    let thread =
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&receiver, sink))?;
    QUEUE.set(sender).map_err(|_| io::Error::other("the log was started before"))?;
    Ok(Log(Some(thread)))
}

impl Drop for Log {
    fn drop(&mut self) {
        if let (Some(thread), Some(queue)) = (self.0.take(), QUEUE.get()) {
            // Both fail only if the thread is gone, and then there is nothing to wait for.
            let _ = queue.send(Message::End);
            let _ = thread.join();
        }
    }
}

/// From now on lines below `level` are left out.
pub fn set_level(level: LogLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Opens the log file again, after it was moved away (SIGHUP).
pub fn reopen() {
    send(Message::Reopen);
}

/// Logs a line for those who work on Whimbrel.
pub fn debug(text: impl Display) {
    line(LogLevel::Debug, text);
}

/// Logs a line of which there may be many.
pub fn verbose(text: impl Display) {
    line(LogLevel::Verbose, text);
}

/// Logs a line that an operator wants to see.
pub fn notice(text: impl Display) {
    line(LogLevel::Notice, text);
}

/// Logs a line that an operator has to see.
pub fn warning(text: impl Display) {
    line(LogLevel::Warning, text);
}

fn line(level: LogLevel, text: impl Display) {
    if level as u8 >= LEVEL.load(Ordering::Relaxed) {
        send(Message::Line(format_line(level, SystemTime::now(), std::process::id(), text)));
    }
}

fn send(message: Message) {
    match (QUEUE.get(), message) {
        (Some(queue), message) => {
            if queue.try_send(message).is_err() {
                DROPPED.fetch_add(1, Ordering::Relaxed);
            }
        }
        (None, Message::Line(line)) => eprintln!("{line}"),
        (None, _) => {}
    }
}

fn format_line(level: LogLevel, at: SystemTime, pid: u32, text: impl Display) -> String {
    let mark = match level {
        LogLevel::Debug => '.',
        LogLevel::Verbose => '-',
        LogLevel::Notice => '*',
        LogLevel::Warning | LogLevel::Nothing => '#',
    };
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let mut line = String::with_capacity(96);
    write!(line, "{pid}:M {} {mark} ", Moment(since)).expect("writing to a String cannot fail");
    let start = line.len();
    write!(line, "{text}").expect("writing to a String cannot fail");
    // One line is one line, whatever a client put into a name.
    if line[start..].contains(char::is_control) {
        let clean = line[start..].replace(|letter: char| letter.is_control() && letter != '\n', "?");
        line.replace_range(start.., &clean.replace('\n', "\n    "));
    }
    line
}

/// A time since 1970 as `21 Nov 2026 04:55:43.126Z`.
struct Moment(Duration);

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let seconds = self.0.as_secs();
        let (day, month, year) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let (name, millis) = (MONTHS[month], self.0.subsec_millis());
        write!(f, "{day:02} {name} {year} {hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Day, month from 0, and year of a count of days since 1970-01-01. Eras of 400 years, years from March, so that the
/// leap day is the last one.
fn civil(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (day, month as usize, era * 400 + year_of_era + u64::from(month < 2))
}

/// Where lines go.
enum Sink {
    Stderr,
    File(File, PathBuf),
}

impl Sink {
    fn open(path: Option<PathBuf>) -> io::Result<Self> {
        match path {
            None => Ok(Self::Stderr),
            Some(path) => Ok(Self::File(append(&path)?, path)),
        }
    }

    fn write(&mut self, line: &str) {
        let line = format!("{line}\n");
        let result = match self {
            Self::Stderr => io::stderr().write_all(line.as_bytes()),
            Self::File(file, _) => file.write_all(line.as_bytes()),
        };
        if result.is_err() {
            // There is nowhere to say it; the next lines are tried again.
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn reopen(&mut self) {
        if let Self::File(file, path) = self {
            match append(path) {
                Ok(fresh) => *file = fresh,
                Err(error) => {
                    let text = format!("cannot open {} again, the old file stays: {error}", path.display());
                    let line = format_line(LogLevel::Warning, SystemTime::now(), std::process::id(), text);
                    self.write(&line);
                }
            }
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write_all(receiver: &Receiver<Message>, mut sink: Sink) {
    while let Ok(message) = receiver.recv() {
        match message {
            Message::Line(line) => sink.write(&line),
            Message::Reopen => sink.reopen(),
            Message::End => return,
        }
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let text = format!("{dropped} log lines were dropped");
            sink.write(&format_line(LogLevel::Warning, SystemTime::now(), std::process::id(), text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, text: &str) -> String {
        format_line(LogLevel::Notice, UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7), 5, text)
    }

    #[test]
    fn days_of_the_calendar() {
        let cases = [
            (0, "01 Jan 1970 00:00:00"),
            (951_782_399, "28 Feb 2000 23:59:59"),
            (951_782_400, "29 Feb 2000 00:00:00"),
            (951_868_800, "01 Mar 2000 00:00:00"),
            (1_795_236_943, "21 Nov 2026 04:55:43"),
            (4_107_542_399, "28 Feb 2100 23:59:59"),
            (4_107_542_400, "01 Mar 2100 00:00:00"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(at(seconds, "x"), format!("5:M {expected}.007Z * x"));
        }
    }

    #[test]
    fn a_text_cannot_forge_a_line() {
        assert!(at(0, "a\r\x1b[2Jb\nc").ends_with(" * a??[2Jb\n    c"));
    }

    #[test]
    fn a_file_gets_all_lines_and_can_be_moved_away() {
        let path = std::env::temp_dir().join(format!("whimbrel-log-{}", std::process::id()));
        let moved = path.with_extension("1");
        let log = start(Some(path.clone()), LogLevel::Verbose).unwrap();
        notice("one");
        debug("left out");
        // The queue keeps the order, so a line behind the first one shows that the first one is written.
        while !std::fs::read_to_string(&path).unwrap().contains("one") {
            std::thread::yield_now();
        }
        std::fs::rename(&path, &moved).unwrap();
        reopen();
        set_level(LogLevel::Warning);
        verbose("left out");
        warning("two");
        drop(log);
        let texts = [&moved, &path].map(|path| std::fs::read_to_string(path).unwrap());
        assert!(texts[0].ends_with(" * one\n") && texts[1].ends_with(" # two\n"), "{texts:?}");
        [moved, path].iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}

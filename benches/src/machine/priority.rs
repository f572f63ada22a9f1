//! Who goes first where processes share a CPU, as far as the system allows it.
//!
//! What is measured would have a machine of its own, and a load that waits for a CPU takes a late client for a late server. What else a
//! machine does, it does without being asked: in some guests the manager itself runs with a raised priority, 10 ms at a time.

use std::fs;
use std::io;

use rustix::process::setpriority_process;

/// Niceness of the load and of the servers, all products alike.
const FOREMOST: i32 = -20;
/// Niceness of what a server needs and would be on another machine: it takes what is left.
const ELSEWHERE: i32 = 10;

/// The session as a whole, where the kernel groups threads by session: what they are among themselves does not count outside (`sched(7)`).
const SESSION: &str = "/proc/self/autogroup";

/// A measurement goes before what else the machine does, for as long as this lives.
#[derive(Debug)]
pub struct Foremost {
    /// The session's niceness before, where there is such a thing and it was changed.
    session_before: Option<i32>,
}

impl Foremost {
    /// Puts the calling thread, what it starts, and its session before others. Without the privilege everything stands alike.
    pub fn begin() -> Self {
        let _ = set_niceness(FOREMOST);
        let before = fs::read_to_string(SESSION).ok().and_then(|text| session_niceness(&text));
        let is_set = || fs::write(SESSION, FOREMOST.to_string()).is_ok();
        Self { session_before: before.filter(|_| is_set()) }
    }
}

impl Drop for Foremost {
    fn drop(&mut self) {
        if let Some(niceness) = self.session_before {
            // The session ends with its last process; until then it stands higher than it did.
            let _ = fs::write(SESSION, niceness.to_string());
        }
    }
}

/// Starts something that comes last, from a thread that goes first. Without the privilege it stands as everything does.
pub fn elsewhere<T>(start: impl FnOnce() -> T) -> T {
    // Anybody may stand back, but only with the privilege there is a way forward again.
    let is_allowed = set_niceness(FOREMOST).is_ok() && set_niceness(ELSEWHERE).is_ok();
    let started = start();
    if is_allowed {
        // What was allowed a moment ago is still.
        let _ = set_niceness(FOREMOST);
    }
    started
}

/// That of the calling thread, and of what it starts.
fn set_niceness(niceness: i32) -> io::Result<()> {
    Ok(setpriority_process(None, niceness)?)
}

/// The niceness in a line such as `/autogroup-69 nice 0`.
fn session_niceness(text: &str) -> Option<i32> {
    text.split_once(" nice ")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_niceness_of_a_session_is_read() {
        assert_eq!(session_niceness("/autogroup-69 nice -5\n"), Some(-5));
        assert_eq!(session_niceness(""), None);
    }
}

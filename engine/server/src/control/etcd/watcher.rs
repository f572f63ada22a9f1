//! The thread that hears of every change of the cluster's keys, in the order in which the store made them.
//!
//! It begins with all keys at one revision and then hears what comes after it. A connection that is lost, or silent for
//! long, is made anew from the last revision heard; if the store has thrown that away, all keys are read again.

use std::io::{BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::gateway::{Gateway, GatewayError, Repeat};
use super::keys::Keys;
use super::outbox::Outbox;
use super::view::Update;
use super::wire;
use crate::log;

/// How long nothing may come before the watch is made anew: a connection may be dead without telling.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long the thread waits after a failure.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// How long it waits before it makes a watch anew that has ended by itself.
const RECONNECT: Duration = Duration::from_millis(20);
/// The longest line of a watch.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Hears of changes.
pub struct Watcher {
    pub gateway: Gateway,
    pub keys: Keys,
    pub outbox: Outbox,
    pub stopping: Arc<AtomicBool>,
}

/// Why a watch has ended.
#[derive(Debug)]
pub enum Ended {
    /// The connection is gone, or silent.
    Cut,
    /// The store has thrown away what comes next.
    Compacted,
}

/// What a line of a watch says.
#[derive(Debug)]
enum Line {
    /// Changes up to a revision; perhaps none.
    Changes(u64, Vec<(wire::KeyValue, bool)>),
    /// The watch ends; whether because what it asks for was thrown away.
    Cancelled { compacted: bool },
}

impl Watcher {
    /// Hears of changes until the process ends.
    pub fn run(mut self) {
        let mut revision = None;
        let mut complained = false;
        while !self.stopping.load(Ordering::Acquire) {
            let from = match revision {
                Some(revision) => Ok(revision),
                None => self.read_all(),
            };
            let outcome = from.and_then(|from| {
                revision = Some(from);
                self.watch(&mut revision, from)
            });
            match outcome {
                Ok(Ended::Cut) => {
                    complained = false;
                    std::thread::sleep(RECONNECT);
                }
                Ok(Ended::Compacted) => revision = None,
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        log::warning(format_args!("Changes in the cluster's store are not heard: {error}"));
                    }
                    std::thread::sleep(TRY_AGAIN);
                }
            }
        }
    }

    fn read_all(&mut self) -> Result<u64, GatewayError> {
        let (revision, update) = read_all(&mut self.gateway, &self.keys)?;
        self.outbox.update(update);
        Ok(revision)
    }

    /// Hears what comes after `from`; `heard` keeps how far that was.
    pub fn watch(&mut self, heard: &mut Option<u64>, from: u64) -> Result<Ended, GatewayError> {
        let prefix = &self.keys.prefix;
        let create = json!({"create_request": {
            "key": wire::base64(prefix),
            "range_end": wire::base64(wire::prefix_end(prefix)),
            "start_revision": (from + 1).to_string(),
        }});
        let mut stream = self.gateway.stream("/v3/watch", &create, SILENCE_MAX)?;
        let mut text = String::new();
        let ended = loop {
            text.clear();
            match stream.by_ref().take(LINE_BYTES_MAX).read_line(&mut text) {
                Ok(0) | Err(_) => break Ended::Cut,
                Ok(_) => {}
            }
            match read_line(&text) {
                Some(Line::Changes(_, changes)) if changes.is_empty() => {}
                Some(Line::Changes(revision, changes)) => {
                    *heard = Some(revision);
                    self.outbox.update(Update::Changes { revision, changes });
                }
                Some(Line::Cancelled { compacted: true }) => break Ended::Compacted,
                Some(Line::Cancelled { compacted: false }) | None => break Ended::Cut,
            }
        };
        drop(stream);
        // An endpoint that is cut off from the others says nothing either.
        self.gateway.turn_away();
        Ok(ended)
    }
}

/// All keys of the cluster as they are now.
pub fn read_all(gateway: &mut Gateway, keys: &Keys) -> Result<(u64, Update), GatewayError> {
    let answer = gateway.post("/v3/kv/range", &wire::range(&keys.prefix), Repeat::Freely)?;
    let read = wire::number(&answer["header"]["revision"]).zip(wire::pairs(&answer));
    let (revision, pairs) =
        read.ok_or_else(|| GatewayError::Unknown("the answer is not of etcd's form".to_owned()))?;
    Ok((revision, Update::All { revision, pairs }))
}

fn read_line(text: &str) -> Option<Line> {
    let line: Value = serde_json::from_str(text).ok()?;
    let result = line.get("result")?;
    if result["canceled"].as_bool() == Some(true) {
        return Some(Line::Cancelled { compacted: result.get("compact_revision").is_some() });
    }
    let revision = wire::number(&result["header"]["revision"])?;
    let events = result["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    let change = |event: &Value| Some((wire::pair(&event["kv"])?, event["type"].as_str() == Some("DELETE")));
    Some(Line::Changes(revision, events.iter().map(change).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_watch() {
        let line = r#"{"result":{"header":{"revision":"9"},"events":[
            {"kv":{"key":"L2E=","create_revision":"2","mod_revision":"8","value":"dg=="}},
            {"type":"DELETE","kv":{"key":"L2E=","mod_revision":"9"}}]}}"#;
        let Some(Line::Changes(9, changes)) = read_line(line) else { panic!("no changes") };
        let seen: Vec<(u64, bool)> =
            changes.iter().map(|(pair, deleted)| (pair.mod_revision, *deleted)).collect();
        assert_eq!(seen, [(8, false), (9, true)]);
        let created = r#"{"result":{"header":{"revision":"9"},"created":true}}"#;
        assert!(matches!(read_line(created), Some(Line::Changes(9, changes)) if changes.is_empty()));
        let compacted = r#"{"result":{"header":{},"canceled":true,"compact_revision":"2"}}"#;
        assert!(matches!(read_line(compacted), Some(Line::Cancelled { compacted: true })));
        let cancelled = r#"{"result":{"header":{},"canceled":true}}"#;
        assert!(matches!(read_line(cancelled), Some(Line::Cancelled { compacted: false })));
        for broken in ["", "{", r#"{"error":{"message":"m"}}"#, r#"{"result":{"header":{}}}"#] {
            assert!(read_line(broken).is_none(), "{broken}");
        }
    }
}

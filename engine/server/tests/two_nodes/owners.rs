//! Watches that no slot is served by two owners: once the target has answered for a slot, the source must not any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::cluster::{Cluster, MOVING};
use super::data::key_in;
use crate::served::{Client, Value};

/// Slots that are watched, spread over those that move.
const WATCHED: u16 = 32;
/// Rest after all of them.
const INTERVAL: Duration = Duration::from_millis(1);

/// A running watch.
pub struct Owners {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Owners {
    /// Starts it.
    pub fn watch(cluster: &Cluster) -> Owners {
        let stop = Arc::new(AtomicBool::new(false));
        let addresses = [cluster.source().address.clone(), cluster.target().address.clone()];
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || watch(&addresses, &told));
        Owners { stop, thread: Some(thread) }
    }

    /// Ends it; panics if two owners were seen. Returns how many of the watched slots the target has served.
    pub fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it runs until it is stopped");
        thread.join().expect("two owners served a slot")
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

fn watch(addresses: &[String; 2], stop: &AtomicBool) -> u64 {
    let width = (MOVING.1 - MOVING.0 + 1) / WATCHED;
    let ranges = (0..WATCHED).map(|number| MOVING.0 + number * width).map(|first| (first, first + width - 1));
    let keys: Vec<String> = ranges.map(|range| key_in("owner", range)).collect();
    let mut is_moved = vec![false; keys.len()];
    let mut clients: [Option<Client>; 2] = [None, None];
    while !stop.load(Ordering::Relaxed) {
        for (key, is_moved) in keys.iter().zip(&mut is_moved) {
            *is_moved |= serves(&mut clients[1], &addresses[1], key);
            if *is_moved {
                let is_double = serves(&mut clients[0], &addresses[0], key);
                assert!(!is_double, "the source answers for {key} after the target did");
            }
        }
        thread::sleep(INTERVAL);
    }
    is_moved.iter().filter(|is_moved| **is_moved).count() as u64
}

/// Whether a node answers for a key, and does not send the client away.
fn serves(client: &mut Option<Client>, address: &str, key: &str) -> bool {
    if client.is_none() {
        *client = Client::try_connect_to(address);
    }
    let reply = client.as_mut().and_then(|client| client.try_ask(&["GET", key]));
    if reply.is_none() {
        *client = None;
    }
    !matches!(reply, None | Some(Value::Error(_)))
}

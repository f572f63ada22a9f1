//! Fetches fresh slot maps on a thread of its own, so that asking never delays the load.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::cluster::slot_map::SlotMap;
use crate::wire::control::{Control, Credentials};
use crate::wire::socket::Address;

/// Least time between two questions.
const INTERVAL: Duration = Duration::from_millis(50);

/// Asks for slot maps in the background.
#[derive(Debug)]
pub struct Refresher {
    requests: Sender<Address>,
    maps: Receiver<SlotMap>,
}

impl Refresher {
    /// Starts the thread, which ends with this value.
    pub fn start(credentials: Credentials) -> Self {
        let (requests, asked) = channel::<Address>();
        let (answers, maps) = channel();
        thread::spawn(move || {
            while let Ok(mut address) = asked.recv() {
                // One map answers every request that has piled up.
                while let Ok(later) = asked.try_recv() {
                    address = later;
                }
                if let Some(map) = fetch(&address, &credentials)
                    && answers.send(map).is_err()
                {
                    return;
                }
                thread::sleep(INTERVAL);
            }
        });
        Self { requests, maps }
    }

    /// Asks this node, soon.
    pub fn request(&self, address: &Address) {
        // The thread outlives this value's requests: it ends only when the sender is dropped.
        let _ = self.requests.send(address.clone());
    }

    /// A map that has arrived.
    pub fn arrived(&self) -> Option<SlotMap> {
        self.maps.try_recv().ok()
    }
}

fn fetch(address: &Address, credentials: &Credentials) -> Option<SlotMap> {
    let Address::Tcp(host, _) = address else { return None };
    let mut control = Control::connect(address, credentials).ok()?;
    SlotMap::ask(&mut control, host).ok()
}

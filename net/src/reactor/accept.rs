//! Listeners of one reactor: multishot accepts, bounded opening, and a pause when descriptors run out.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use socket2::SockRef;

use super::Reactor;
use super::io::Io;
use crate::address::PeerAddress;
use crate::clock::Monotonic;
use crate::error::RingError;
use crate::listener::{Listener, ListenerId};
use crate::ring::{Completion, Errno};
use crate::service::Service;

/// Pause after an error of accept that may well come again at once.
const ACCEPT_ERROR_DELAY: Duration = Duration::from_millis(10);

struct Place {
    id: ListenerId,
    listener: Listener,
    is_armed: bool,
    /// No accept before this.
    paused_until: Option<Monotonic>,
}

/// The listeners, and connections accepted but not opened yet.
#[derive(Default)]
pub(super) struct Acceptor {
    places: Vec<Place>,
    accepted: VecDeque<(usize, OwnedFd)>,
    is_closed: bool,
}

impl Acceptor {
    pub fn add(&mut self, id: ListenerId, listener: Listener) {
        self.places.push(Place { id, listener, is_armed: false, paused_until: None });
    }

    pub fn set_keepalive(&self, keepalive: Option<Duration>) {
        for place in &self.places {
            place.listener.set_keepalive(keepalive);
        }
    }

    /// Whether connections wait to be opened.
    pub fn has_accepted(&self) -> bool {
        !self.accepted.is_empty()
    }

    /// When the next pause ends.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.places.iter().filter_map(|place| place.paused_until).min()
    }

    /// Drops the listeners once the kernel has let go of them.
    pub fn forget_listeners(&mut self) {
        self.places.clear();
    }
}

impl<M: Send> Io<M> {
    /// Notes what an accept brought.
    pub(super) fn accept_completed(&mut self, completion: Completion) {
        let index = completion.token().index as usize;
        let place = &mut self.acceptor.places[index];
        if completion.is_last() {
            place.is_armed = false;
        }
        match completion.into_accepted() {
            Ok(socket) => self.acceptor.accepted.push_back((index, socket)),
            Err(Errno(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                self.gauges.accept_no_descriptors += 1;
                place.paused_until = Some(self.now.after(self.options.accept_retry_delay));
            }
            Err(Errno(libc::ECANCELED | libc::EINTR | libc::EAGAIN)) => {}
            Err(_) => {
                self.gauges.accept_errors += 1;
                place.paused_until = Some(self.now.after(ACCEPT_ERROR_DELAY));
            }
        }
    }

    /// Starts the accepts that do not run and may.
    pub(super) fn arm_accepts(&mut self) -> Result<(), RingError> {
        if self.acceptor.is_closed {
            return Ok(());
        }
        for (index, place) in self.acceptor.places.iter_mut().enumerate() {
            if place.is_armed || place.paused_until.is_some_and(|until| until > self.now) {
                continue;
            }
            place.paused_until = None;
            self.ring.accept(place.listener.socket(), index as u32)?;
            place.is_armed = true;
        }
        Ok(())
    }

    /// Ends the accepts for good.
    pub(super) fn close_acceptor(&mut self) -> Result<(), RingError> {
        self.acceptor.is_closed = true;
        self.acceptor.accepted.clear();
        for place in &mut self.acceptor.places {
            place.paused_until = None;
            if place.is_armed {
                self.ring.cancel_socket(place.listener.socket())?;
            }
        }
        Ok(())
    }
}

impl<S: Service> Reactor<S> {
    /// Opens accepted connections, a bounded number of them.
    pub(super) fn open_accepted(&mut self, service: &mut S) {
        for _ in 0..self.io.options.accepts_per_turn_max {
            let Some((index, socket)) = self.io.acceptor.accepted.pop_front() else { break };
            let place = &self.io.acceptor.places[index];
            let (listener, is_tcp) = (place.id, place.listener.is_tcp());
            let peer = if is_tcp { peer_of(&socket) } else { Some(PeerAddress::Unix) };
            let Some(peer) = peer else {
                // Reset before it was opened.
                self.io.gauges.accept_errors += 1;
                continue;
            };
            let Ok(id) = self.io.table.insert(socket) else {
                self.io.gauges.refused += 1;
                continue;
            };
            let connection = self.io.table.get_mut(id).expect("just inserted");
            connection.is_tcp = is_tcp;
            self.io.gauges.accepted += 1;
            self.io.to_receive.push(id);
            service.opened(&mut self.io, id, listener, &peer);
        }
    }
}

fn peer_of(socket: &OwnedFd) -> Option<PeerAddress> {
    let address = SockRef::from(&socket.as_fd()).peer_addr().ok()?;
    address.as_socket().map(PeerAddress::Tcp)
}

//! All sessions of one core, found by a small index that the reactor keeps with its connection.

use super::client::{ClientId, Session};

/// Where a session lies in its core's slab. Valid until the session is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionIndex(pub u32);

/// All sessions of one core.
///
/// The session whose command runs is taken out and put back afterwards, so that a command may look at its own
/// session and at all others at once.
#[derive(Debug)]
pub struct Sessions {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
    id_next: u64,
    id_step: u64,
}

#[derive(Debug)]
enum Slot {
    Free,
    Taken,
    Here(Box<Session>),
}

impl Sessions {
    /// No sessions yet, on core `index` of `count`; ids of different cores never meet.
    pub fn new(index: u16, count: u16) -> Self {
        assert!(index < count, "core {index} of {count}");
        Self { slots: Vec::new(), free: Vec::new(), len: 0, id_next: index as u64 + 1, id_step: count as u64 }
    }

    /// Adds a session and gives it an id.
    pub fn insert(&mut self, mut session: Session) -> SessionIndex {
        session.id = ClientId(self.id_next);
        self.id_next += self.id_step;
        self.len += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.slots.len() as u32 - 1
        });
        session.index = SessionIndex(index);
        self.slots[index as usize] = Slot::Here(Box::new(session));
        SessionIndex(index)
    }

    /// Removes a session that is not taken.
    pub fn remove(&mut self, index: SessionIndex) -> Box<Session> {
        let session = self.take(index);
        self.slots[index.0 as usize] = Slot::Free;
        self.free.push(index.0);
        self.len -= 1;
        session
    }

    /// Takes the session out, to run its command; `put` brings it back.
    #[inline]
    pub fn take(&mut self, index: SessionIndex) -> Box<Session> {
        match std::mem::replace(&mut self.slots[index.0 as usize], Slot::Taken) {
            Slot::Here(session) => session,
            Slot::Free | Slot::Taken => panic!("session {} is not here", index.0),
        }
    }

    /// Puts back what `take` took.
    #[inline]
    pub fn put(&mut self, index: SessionIndex, session: Box<Session>) {
        let slot = &mut self.slots[index.0 as usize];
        assert!(matches!(slot, Slot::Taken), "session {} was not taken", index.0);
        *slot = Slot::Here(session);
    }

    /// The session at `index`, if it is here.
    pub fn at(&self, index: SessionIndex) -> Option<&Session> {
        match self.slots.get(index.0 as usize)? {
            Slot::Here(session) => Some(session),
            Slot::Free | Slot::Taken => None,
        }
    }

    /// The session at `index`, if it is here, to be changed.
    pub fn at_mut(&mut self, index: SessionIndex) -> Option<&mut Session> {
        match self.slots.get_mut(index.0 as usize)? {
            Slot::Here(session) => Some(session),
            Slot::Free | Slot::Taken => None,
        }
    }

    /// Sessions of this core, the taken one included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All sessions but the taken one, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Here(session) => Some(&**session),
            Slot::Free | Slot::Taken => None,
        })
    }
}

impl Sessions {
    /// All sessions but the taken one, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Here(session) => Some(&mut **session),
            Slot::Free | Slot::Taken => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_session_is_absent_until_put_back() {
        let mut sessions = Sessions::new(1, 2);
        let first = sessions.insert(Session::default());
        let second = sessions.insert(Session::default());
        let taken = sessions.take(first);
        assert_eq!((taken.id, sessions.len(), sessions.iter().count()), (ClientId(2), 2, 1));
        assert!(sessions.at(first).is_none());
        sessions.put(first, taken);
        assert_eq!(sessions.at(second).map(|session| session.id), Some(ClientId(4)));
        sessions.remove(first);
        assert_eq!(sessions.insert(Session::default()), first);
        assert_eq!(sessions.at(first).map(|session| session.id), Some(ClientId(6)));
    }
}

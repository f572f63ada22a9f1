//! What a command may touch while it runs.

use super::error::CommandError;
use super::spec::Spec;
use crate::core::{Action, Core, Now};
use crate::key::KEY_BYTES_MAX;
use crate::resp::Reply;
use crate::session::{ClientId, Session};
use crate::shard::{Entry, Key, Write};

/// What a command may touch while it runs.
pub struct Context<'a> {
    /// All state of this core.
    pub core: &'a mut Core,
    /// Who asks.
    pub session: &'a mut Session,
    /// Where the answer goes. What was written before an error is returned is taken back.
    pub reply: &'a mut Reply,
    /// The time of this command; it does not pass while the command runs.
    pub now: Now,
    /// The command that runs (one function may serve several).
    pub spec: &'static Spec,
}

impl<'a> Context<'a> {
    /// The view of this core's part of a gathered command, writing to `out`.
    pub fn part<'b>(&'b mut self, out: &'b mut Vec<u8>) -> PartContext<'b> {
        PartContext {
            core: self.core,
            caller: self.session.id,
            session: Some(self.session),
            out,
            now: self.now,
        }
    }

    /// Asks the process for something that only it can do.
    pub fn act(&mut self, action: Action) {
        self.core.actions.push(action);
    }

    /// The key that an argument names.
    #[inline]
    pub fn key<'k>(&self, bytes: &'k [u8]) -> Result<Key<'k>, CommandError> {
        if bytes.len() > KEY_BYTES_MAX {
            return Err(CommandError::Static("ERR key is longer than 7168 bytes"));
        }
        Ok(match self.core.foreknown.find(bytes) {
            Some((hash, slot)) => Key::known(bytes, hash, slot),
            None => self.core.shard.key(bytes),
        })
    }

    /// Finds a key for reading, as it is now; counts a hit or a miss, and a use unless the client asked for none.
    #[inline]
    pub fn find(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        if self.session.no_touch {
            return self.look(key);
        }
        self.core.shard.find(key, self.now.unix_ms)
    }

    /// Finds a key for telling something about it; counts a hit or a miss, but no use.
    pub fn look(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        self.core.shard.look(key, self.now.unix_ms)
    }

    /// The door for changing a key; counts as a use of it unless the client asked for none.
    #[inline]
    pub fn write<'s, 'k>(&'s mut self, key: &Key<'k>) -> Write<'s, 'k> {
        if self.session.no_touch {
            return self.core.shard.amend(key, self.now.unix_ms);
        }
        self.core.shard.write(key, self.now.unix_ms)
    }

    /// The error for a wrong number of arguments, for commands whose arity alone does not say it.
    pub fn wrong_arity(&self) -> CommandError {
        CommandError::WrongArity(self.spec.name)
    }
}

/// What a core's part of a gathered command may touch.
pub struct PartContext<'a> {
    /// All state of this core.
    pub core: &'a mut Core,
    /// Who asks, on whatever core.
    pub caller: ClientId,
    /// The asking session, on the core that holds it. It is not among `core.sessions` then.
    pub session: Option<&'a mut Session>,
    /// What this core has to say.
    pub out: &'a mut Vec<u8>,
    /// The time of the command.
    pub now: Now,
}

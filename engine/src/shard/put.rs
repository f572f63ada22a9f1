//! Putting an object into a table: in place where nobody else can see it, else beside the old one.

use crate::arena::{Arena, ArenaError, Ref};
use crate::memory::{Guard, Memory};
use crate::object::{self, Draft, Encoding, Parts};
use crate::table::{Found, TableRoot};

/// What happens to the object that is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Old {
    /// It goes with all that hangs on it.
    Whole,
    /// Its nested table goes on in the new object.
    Shell,
}

impl Memory {
    /// Puts an object where `found` says, or adds it. On an error nothing has changed. Answers where the object is, unless
    /// the table was changed such that it has to be found anew.
    #[expect(clippy::too_many_arguments, reason = "the place of the change is four of them")]
    pub(super) fn put(
        &mut self,
        root: &mut TableRoot,
        hash: u64,
        found: Option<Found>,
        draft: &Draft<'_>,
        expires_s: Option<u32>,
        old: Old,
        guard: Guard,
    ) -> Result<Option<Found>, ArenaError> {
        let Some(found) = found else {
            let object = self.create(draft)?;
            self.insert(root, hash, object, expires_s, guard).inspect_err(|_| self.drop_bare(object))?;
            return Ok(None);
        };
        if self.fits_in_place(found.object, draft, old) && self.is_own(root, hash, found, guard) {
            object::overwrite_value(&mut self.arena, found.object, draft.encoding, draft.value);
            if let Some(expires_at_ms) = draft.expires_at_ms {
                object::overwrite_expiry(&mut self.arena, found.object, expires_at_ms);
            }
            self.set_expiring(root, hash, found, expires_s);
            return Ok(Some(found));
        }
        let object = self.create(draft)?;
        match self.replace(root, hash, found, object, expires_s, guard) {
            Ok(shared) => {
                match old {
                    Old::Whole => {
                        let shared = shared || self.shares_below(found.object, guard);
                        self.drop_object(found.object, shared);
                    }
                    Old::Shell => self.drop_shell(found.object, shared),
                }
                // Behind a fork the leaf may have been copied.
                Ok((!guard.is_keep()).then_some(found.with_object(object)))
            }
            Err(error) => {
                self.drop_bare(object);
                Err(error)
            }
        }
    }

    fn fits_in_place(&self, object: Ref, draft: &Draft<'_>, old: Old) -> bool {
        let parts = Parts::of(&self.arena, object);
        let plain =
            |encoding| matches!(encoding, Encoding::Inline | Encoding::Integer | Encoding::PackedHash);
        let nothing_hangs_on_it = plain(parts.encoding) && plain(draft.encoding);
        let same_table = old == Old::Shell && parts.encoding == Encoding::TableHash;
        (nothing_hangs_on_it || same_table)
            && parts.expiring == draft.expires_at_ms.is_some()
            && self.arena.size(object) == Arena::rounded(draft.total())
    }
}

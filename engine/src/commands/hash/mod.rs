//! Commands on hashes.

mod hdel;
mod hget;
mod hgetall;
mod hset;

use super::error::CommandError;
use super::spec::Spec;
use crate::shard::{Entry, HashView};

/// The group's commands.
pub const SPECS: &[&Spec] = &[&hdel::SPEC, &hget::SPEC, &hgetall::SPEC, &hset::SPEC];

/// The hash that an entry holds, if there is one; another type is an error.
#[inline]
fn hash_of(entry: Option<Entry<'_>>) -> Result<Option<HashView<'_>>, CommandError> {
    match entry {
        None => Ok(None),
        Some(entry) => entry.hash().map(Some).ok_or(CommandError::WrongType),
    }
}

//! Commands on hashes.

mod deadline;
mod hdel;
mod hexists;
mod hexpire;
mod hexpireat;
mod hexpiretime;
mod hget;
mod hgetall;
mod hgetdel;
mod hgetex;
mod hincrby;
mod hincrbyfloat;
mod hkeys;
mod hlen;
mod hmget;
mod hmset;
mod hpersist;
mod hpexpire;
mod hpexpireat;
mod hpexpiretime;
mod hpttl;
mod hrandfield;
mod hscan;
mod hset;
mod hsetex;
mod hsetnx;
mod hstrlen;
mod httl;
mod hvals;
mod listing;
mod numbered;
mod options;

use super::error::CommandError;
use super::spec::Spec;
use crate::shard::{Entry, HashView};

/// The group's commands.
pub const SPECS: &[&Spec] = &[
    &hdel::SPEC,
    &hexists::SPEC,
    &hexpire::SPEC,
    &hexpireat::SPEC,
    &hexpiretime::SPEC,
    &hget::SPEC,
    &hgetall::SPEC,
    &hgetdel::SPEC,
    &hgetex::SPEC,
    &hincrby::SPEC,
    &hincrbyfloat::SPEC,
    &hkeys::SPEC,
    &hlen::SPEC,
    &hmget::SPEC,
    &hmset::SPEC,
    &hpersist::SPEC,
    &hpexpire::SPEC,
    &hpexpireat::SPEC,
    &hpexpiretime::SPEC,
    &hpttl::SPEC,
    &hrandfield::SPEC,
    &hscan::SPEC,
    &hset::SPEC,
    &hsetex::SPEC,
    &hsetnx::SPEC,
    &hstrlen::SPEC,
    &httl::SPEC,
    &hvals::SPEC,
];

/// The hash that an entry holds, if there is one; another type is an error.
#[inline]
fn hash_of(entry: Option<Entry<'_>>) -> Result<Option<HashView<'_>>, CommandError> {
    match entry {
        None => Ok(None),
        Some(entry) => entry.hash().map(Some).ok_or(CommandError::WrongType),
    }
}

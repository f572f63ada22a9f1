//! Commands about keys, whatever their type.

mod copy;
mod deadline;
mod del;
pub(super) mod dump;
mod exists;
mod expire;
mod expireat;
mod expiretime;
mod keys;
mod lifetime;
mod object;
mod pattern;
mod persist;
mod pexpire;
mod pexpireat;
mod pexpiretime;
mod pttl;
mod randomkey;
mod rename;
mod renamenx;
mod restore;
mod scan;
mod touch;
mod ttl;
mod r#type;
mod unlink;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[
    &copy::SPEC,
    &del::SPEC,
    &dump::SPEC,
    &exists::SPEC,
    &expire::SPEC,
    &expireat::SPEC,
    &expiretime::SPEC,
    &keys::SPEC,
    &object::SPEC,
    &persist::SPEC,
    &pexpire::SPEC,
    &pexpireat::SPEC,
    &pexpiretime::SPEC,
    &pttl::SPEC,
    &randomkey::SPEC,
    &rename::SPEC,
    &renamenx::SPEC,
    &restore::SPEC,
    &scan::SPEC,
    &touch::SPEC,
    &ttl::SPEC,
    &r#type::SPEC,
    &unlink::SPEC,
];

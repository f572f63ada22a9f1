//! Commands on strings.

mod append;
mod decr;
mod decrby;
mod delifeq;
mod get;
mod getdel;
mod getex;
mod getrange;
mod getset;
mod incr;
mod incrby;
mod incrbyfloat;
mod lcs;
mod mget;
mod mset;
mod msetex;
mod msetnx;
mod options;
mod psetex;
mod set;
mod setex;
mod setnx;
mod setrange;
mod strlen;
mod substr;
mod value;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[
    &append::SPEC,
    &decr::SPEC,
    &decrby::SPEC,
    &delifeq::SPEC,
    &get::SPEC,
    &getdel::SPEC,
    &getex::SPEC,
    &getrange::SPEC,
    &getset::SPEC,
    &incr::SPEC,
    &incrby::SPEC,
    &incrbyfloat::SPEC,
    &lcs::SPEC,
    &mget::SPEC,
    &mset::SPEC,
    &msetex::SPEC,
    &msetnx::SPEC,
    &psetex::SPEC,
    &set::SPEC,
    &setex::SPEC,
    &setnx::SPEC,
    &setrange::SPEC,
    &strlen::SPEC,
    &substr::SPEC,
];

#[cfg(test)]
mod tests {
    use super::SPECS;
    use crate::commands::{Find, Spec};

    fn describe(spec: &Spec) -> String {
        let Find::Range { last, step, .. } = spec.keys.rules()[0].find else {
            unreachable!("a range of keys")
        };
        let mut words = vec![spec.name.to_owned(), spec.arity.to_string()];
        words.extend(spec.flags.names().chain(spec.categories().names()).map(str::to_owned));
        words.extend([last.to_string(), step.to_string()]);
        let access = spec.keys.rules()[0].access;
        words.extend(access.names().chain(spec.tips.iter().copied()).map(str::to_owned));
        words.join(" ")
    }

    #[test]
    fn clients_are_told_what_redis_tells() {
        // Name, arity, flags, ACL categories, last key and step, what is done with keys, tips: from redis-server 7.0.15.
        let told = "
            append 3 write denyoom fast write string fast 0 1 RW insert
            decr 2 write denyoom fast write string fast 0 1 RW access update
            decrby 3 write denyoom fast write string fast 0 1 RW access update
            get 2 readonly fast read string fast 0 1 RO access
            getdel 2 write fast write string fast 0 1 RW access delete
            getex -2 write fast write string fast 0 1 RW access update
            getrange 4 readonly read string slow 0 1 RO access
            getset 3 write denyoom fast write string fast 0 1 RW access update
            incr 2 write denyoom fast write string fast 0 1 RW access update
            incrby 3 write denyoom fast write string fast 0 1 RW access update
            incrbyfloat 3 write denyoom fast write string fast 0 1 RW access update
            lcs -3 readonly read string slow 1 1 RO access
            mget -2 readonly fast read string fast -1 1 RO access request_policy:multi_shard
            mset -3 write denyoom write string slow -1 2 OW update request_policy:multi_shard response_policy:all_succeeded
            msetnx -3 write denyoom write string slow -1 2 OW insert request_policy:multi_shard response_policy:agg_min
            psetex 4 write denyoom write string slow 0 1 OW update
            set -3 write denyoom write string slow 0 1 RW access update variable_flags
            setex 4 write denyoom write string slow 0 1 OW update
            setnx 3 write denyoom fast write string fast 0 1 OW insert
            setrange 4 write denyoom write string slow 0 1 RW update
            strlen 2 readonly fast read string fast 0 1 RO
            substr 4 readonly read string slow 0 1 RO access
        ";
        for line in told.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let name = line.split(' ').next().unwrap_or_default();
            let spec = SPECS.iter().find(|spec| spec.name == name).expect("a command of this group");
            assert_eq!(describe(spec), line);
        }
        assert_eq!(SPECS.len(), told.trim().lines().count() + 2, "all but DELIFEQ and MSETEX");
    }
}

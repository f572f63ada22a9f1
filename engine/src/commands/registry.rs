//! Every command once, in the order of its group's list.

use super::spec::Spec;
use super::{cluster, connection, generic, hash, server, string};

/// All commands that clients can call.
pub static SPECS: &[&Spec] = &concat();

/// The groups' lists; a new group is a new line here.
const GROUPS: &[&[&Spec]] =
    &[cluster::SPECS, connection::SPECS, generic::SPECS, hash::SPECS, server::SPECS, string::SPECS];

const COUNT: usize = {
    let mut count = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

const fn concat() -> [&'static Spec; COUNT] {
    let mut all = [&Spec::BASE; COUNT];
    let (mut filled, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut index = 0;
        while index < GROUPS[group].len() {
            all[filled] = GROUPS[group][index];
            filled += 1;
            index += 1;
        }
        group += 1;
    }
    all
}

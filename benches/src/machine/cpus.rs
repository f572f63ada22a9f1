//! CPU lists as `taskset` writes them, pinning of the calling thread, and the limit of open files.

use std::fmt;
use std::io;
use std::str::FromStr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

/// CPU numbers, e.g. `0,2-3`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuList(pub Vec<usize>);

/// A CPU list that was not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct BadCpuList;

impl fmt::Display for BadCpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a CPU list is numbers below {} and ranges, e.g. 0,2-3", CpuSet::MAX_CPU)
    }
}

impl std::error::Error for BadCpuList {}

impl FromStr for CpuList {
    type Err = BadCpuList;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number =
            |text: &str| text.parse().ok().filter(|&cpu: &usize| cpu < CpuSet::MAX_CPU).ok_or(BadCpuList);
        let mut cpus = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(BadCpuList);
            }
            cpus.extend(first..=last);
        }
        Ok(Self(cpus))
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&numbers.join(","))
    }
}

/// Lets the calling thread run on these CPUs only; an empty list changes nothing.
pub fn pin_thread(cpus: &[usize]) -> io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// Raises the limit of open files to what the system allows, when `wanted` do not fit under it.
pub fn allow_open_files(wanted: u64) -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        let reason = format!("{wanted} open files are over the hard limit: raise it with `ulimit -Hn`");
        return Err(io::Error::other(reason));
    }
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_parse() {
        let cases = [
            ("0", Ok(vec![0])),
            ("0,2-3", Ok(vec![0, 2, 3])),
            ("1-1", Ok(vec![1])),
            ("3-1", Err(BadCpuList)),
            ("", Err(BadCpuList)),
            ("a", Err(BadCpuList)),
            ("99999", Err(BadCpuList)),
        ];
        for (text, wanted) in cases {
            assert_eq!(text.parse(), wanted.map(CpuList), "{text}");
        }
        assert_eq!(CpuList(vec![0, 2, 3]).to_string(), "0,2,3");
    }
}

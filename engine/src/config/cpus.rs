//! A list of CPUs as Linux and Redis write it: `0,2,4-7`, `0-11:2`.

use super::kind::Rejection;
use std::fmt;

/// The largest CPU number that is accepted, plus one. The kernel's own ceiling is 8192.
pub const CPU_MAX: u16 = 8192;

/// CPUs in the order in which cores are placed on them; empty means every CPU of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuList(Vec<u16>);

impl CpuList {
    /// The CPUs, none twice.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }

    /// Whether the list names no CPU.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `0,2,4-7` and `0-11:2`. A CPU may stand there once.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let mut cpus = Vec::new();
        for part in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
            let (range, step) = part.split_once(':').unwrap_or((part, "1"));
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last, step) = (number(first)?, number(last)?, number(step)?);
            if first > last || step == 0 {
                return Err(Rejection::NotCpus);
            }
            for cpu in (first..=last).step_by(usize::from(step)) {
                if cpus.contains(&cpu) {
                    return Err(Rejection::CpuTwice(cpu));
                }
                cpus.push(cpu);
            }
        }
        Ok(Self(cpus))
    }
}

fn number(text: &str) -> Result<u16, Rejection> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(number) if digits && number < CPU_MAX => Ok(number),
        _ => Err(Rejection::NotCpus),
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = &self.0[..];
        let mut separator = "";
        while let Some(&first) = rest.first() {
            let run = rest.iter().zip(first..).take_while(|(cpu, expected)| **cpu == *expected).count();
            // A run of two reads better as `0,1` than as `0-1`.
            let run = if run < 3 { 1 } else { run };
            let last = rest[run - 1];
            if run == 1 {
                write!(f, "{separator}{first}")?;
            } else {
                write!(f, "{separator}{first}-{last}")?;
            }
            separator = ",";
            rest = &rest[run..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists() {
        let cases: &[(&str, Option<&str>)] = &[
            ("", Some("")),
            ("0", Some("0")),
            ("0,1", Some("0,1")),
            ("0-3,6", Some("0-3,6")),
            ("3,2,1", Some("3,2,1")),
            ("0-6:2", Some("0,2,4,6")),
            (" 1 , 2 ", Some("1,2")),
            ("1,", None),
            ("1,1", None),
            ("0-3,2", None),
            ("3-1", None),
            ("0-3:0", None),
            ("+1", None),
            ("-1", None),
            ("a", None),
            ("8192", None),
            ("99999999999", None),
        ];
        for (text, expected) in cases {
            let list = CpuList::parse(text).ok().map(|list| list.to_string());
            assert_eq!(list.as_deref(), *expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_reads_back(cpus in proptest::collection::hash_set(0..CPU_MAX, 0..40)) {
            let list = CpuList(cpus.into_iter().collect());
            prop_assert_eq!(CpuList::parse(&list.to_string()), Ok(list));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,30}") {
            let _ = CpuList::parse(&text);
        }
    }
}

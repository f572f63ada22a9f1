//! CPU lists as people write them: `0,1`, `0-3`, `0-2,5`.

use std::fmt;
use std::str::FromStr;

/// The highest CPU number a list may name; the kernel's own limit is 8192.
const CPU_MAX: usize = 8191;

/// CPUs in the order in which they were named, each once. Never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CpuList {
    cpus: Vec<usize>,
}

impl CpuList {
    /// The CPUs.
    pub fn cpus(&self) -> &[usize] {
        &self.cpus
    }
}

/// Why a text is no CPU list.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CpuListError {
    /// Nothing is named.
    Empty,
    /// A part is neither a number up to 8191 nor `first-last`.
    NotANumber(String),
    /// A range ends before it starts.
    Descending(String),
    /// A CPU is named twice.
    Repeated(usize),
}

impl fmt::Display for CpuListError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the CPU list is empty: write it as 0,1 or 0-3"),
            Self::NotANumber(part) => write!(formatter, "`{part}` is no CPU: write the list as 0,1 or 0-3"),
            Self::Descending(part) => write!(formatter, "`{part}` ends before it starts"),
            Self::Repeated(cpu) => write!(formatter, "CPU {cpu} is named twice"),
        }
    }
}

impl std::error::Error for CpuListError {}

impl FromStr for CpuList {
    type Err = CpuListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(CpuListError::Empty);
        }
        let mut cpus = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first, part)?, number(last, part)?);
            if last < first {
                return Err(CpuListError::Descending(part.to_owned()));
            }
            for cpu in first..=last {
                if cpus.contains(&cpu) {
                    return Err(CpuListError::Repeated(cpu));
                }
                cpus.push(cpu);
            }
        }
        Ok(Self { cpus })
    }
}

fn number(digits: &str, part: &str) -> Result<usize, CpuListError> {
    let wrong = || CpuListError::NotANumber(part.to_owned());
    let digits = digits.trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    digits.parse().ok().filter(|cpu| *cpu <= CPU_MAX).ok_or_else(wrong)
}

impl fmt::Display for CpuList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, cpu) in self.cpus.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            write!(formatter, "{separator}{cpu}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_people_write_them() {
        for (text, shown) in [
            ("0", "0"),
            ("0,1", "0,1"),
            ("0-3", "0,1,2,3"),
            (" 4 , 1-2", "4,1,2"),
            ("7-7", "7"),
            ("0-2,5", "0,1,2,5"),
        ] {
            assert_eq!(text.parse::<CpuList>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_list() {
        let cases = [
            ("", CpuListError::Empty),
            (" ", CpuListError::Empty),
            ("a", CpuListError::NotANumber("a".into())),
            ("1,,2", CpuListError::NotANumber("".into())),
            ("1-", CpuListError::NotANumber("1-".into())),
            ("+1", CpuListError::NotANumber("+1".into())),
            ("9999999999999999999999", CpuListError::NotANumber("9999999999999999999999".into())),
            ("8192", CpuListError::NotANumber("8192".into())),
            ("3-1", CpuListError::Descending("3-1".into())),
            ("0-2,1", CpuListError::Repeated(1)),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<CpuList>(), Err(error), "{text}");
        }
    }
}

//! Which arguments of a command are keys, and what the command does with them.

use super::spec::Spec;
use crate::resp::Arguments;

/// What a command does with a key: one of RO, RW, OW, RM, and what happens to the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access(u16);

impl Access {
    /// Reads the value (and may return it in some form).
    pub const RO: Self = Self(1);
    /// Reads and changes it.
    pub const RW: Self = Self(1 << 1);
    /// Overwrites it without looking.
    pub const OW: Self = Self(1 << 2);
    /// Removes it without looking.
    pub const RM: Self = Self(1 << 3);
    /// Returns, copies or compares user data of the value.
    pub const ACCESS: Self = Self(1 << 4);
    /// Changes user data of the value.
    pub const UPDATE: Self = Self(1 << 5);
    /// Adds user data.
    pub const INSERT: Self = Self(1 << 6);
    /// Deletes user data explicitly.
    pub const DELETE: Self = Self(1 << 7);
    /// Not a key, but it is routed like one.
    pub const NOT_KEY: Self = Self(1 << 8);
    /// The spec does not find all keys.
    pub const INCOMPLETE: Self = Self(1 << 9);
    /// Which flags hold depends on the arguments.
    pub const VARIABLE: Self = Self(1 << 10);

    /// `GET`'s kind: reads and returns.
    pub const READ: Self = Self::RO.and(Self::ACCESS);

    const NAMES: [(Self, &str); 11] = [
        (Self::RO, "RO"),
        (Self::RW, "RW"),
        (Self::OW, "OW"),
        (Self::RM, "RM"),
        (Self::ACCESS, "access"),
        (Self::UPDATE, "update"),
        (Self::INSERT, "insert"),
        (Self::DELETE, "delete"),
        (Self::NOT_KEY, "not_key"),
        (Self::INCOMPLETE, "incomplete"),
        (Self::VARIABLE, "variable_flags"),
    ];

    /// Both together.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags as COMMAND names them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this argument.
    Index(i32),
    /// After this word, looked for from argument `from` on (backwards if negative).
    Keyword {
        /// The word, in upper case.
        word: &'static str,
        /// Where the search starts.
        from: i32,
    },
    /// Nobody can say; the command brings its own function.
    Unknown,
}

/// How keys are found from the beginning on. All positions are relative to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// Every `step`-th argument up to `last` (negative: from the end). With `limit` n > 1 only the first n-th
    /// part of what is left is keys.
    Range {
        /// The last key.
        last: i32,
        /// From one key to the next.
        step: i32,
        /// 0, or which part of the rest.
        limit: i32,
    },
    /// The number of keys is at `count`, the keys from `first` on.
    Count {
        /// Where the number stands.
        count: i32,
        /// Where the first key stands.
        first: i32,
        /// From one key to the next.
        step: i32,
    },
    /// Nobody can say; the command brings its own function.
    Unknown,
}

/// One rule that finds keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// Where to begin.
    pub begin: Begin,
    /// How to go on.
    pub find: Find,
    /// What the command does with these keys.
    pub access: Access,
}

impl KeySpec {
    /// One key at `position`.
    pub const fn one(position: i32, access: Access) -> Self {
        Self::range(position, position, 1, access)
    }

    /// Keys from `first` to `last` (negative: from the end) in steps, as COMMAND's first, last, step.
    pub const fn range(first: i32, last: i32, step: i32, access: Access) -> Self {
        let last = if last < 0 { last } else { last - first };
        Self { begin: Begin::Index(first), find: Find::Range { last, step, limit: 0 }, access }
    }

    /// The number of keys at `position`, the keys after it.
    pub const fn count(position: i32, access: Access) -> Self {
        Self { begin: Begin::Index(position), find: Find::Count { count: 0, first: 1, step: 1 }, access }
    }
}

/// Finds the keys of one command where rules do not suffice.
pub type FindKeys = fn(&Arguments<'_>, &mut dyn FnMut(usize, Access)) -> Result<(), KeyError>;

/// Which arguments of a command are keys.
#[derive(Clone, Copy, Debug)]
pub enum Keys {
    /// None at all.
    None,
    /// One rule.
    Rule(KeySpec),
    /// Several rules, applied one after the other.
    Rules(&'static [KeySpec]),
    /// A function, and the rules that COMMAND shows for it.
    Custom {
        /// What COMMAND shows.
        rules: &'static [KeySpec],
        /// What finds the keys.
        find: FindKeys,
    },
}

impl Keys {
    /// One key at `position`.
    pub const fn one(position: i32, access: Access) -> Self {
        Self::Rule(KeySpec::one(position, access))
    }

    /// Keys from `first` to `last` in steps.
    pub const fn range(first: i32, last: i32, step: i32, access: Access) -> Self {
        Self::Rule(KeySpec::range(first, last, step, access))
    }

    /// The number of keys at `position`, the keys after it.
    pub const fn count(position: i32, access: Access) -> Self {
        Self::Rule(KeySpec::count(position, access))
    }

    /// The rules, as COMMAND shows them.
    pub fn rules(&self) -> &[KeySpec] {
        match self {
            Self::None => &[],
            Self::Rule(rule) => std::slice::from_ref(rule),
            Self::Rules(rules) | Self::Custom { rules, .. } => rules,
        }
    }
}

/// The arguments do not fit the command's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The command has no keys.
    NoKeys,
    /// The number of keys is no number, or more than there are arguments.
    Invalid,
}

/// Calls `found` with the position and access of each key in `arguments` (whose arity was checked).
#[inline]
pub fn for_each_key(
    spec: &Spec,
    arguments: &Arguments<'_>,
    mut found: impl FnMut(usize, Access),
) -> Result<(), KeyError> {
    match &spec.keys {
        Keys::Rule(KeySpec { begin: Begin::Index(at), find: Find::Range { last: 0, .. }, access }) => {
            // One key at a fixed place, as most commands have it.
            let position = *at as usize;
            (position < arguments.len()).then(|| found(position, *access)).ok_or(KeyError::Invalid)
        }
        Keys::None => Err(KeyError::NoKeys),
        Keys::Rule(rule) => apply(rule, arguments, &mut found),
        Keys::Rules(rules) => rules.iter().try_for_each(|rule| apply(rule, arguments, &mut found)),
        Keys::Custom { find, .. } => find(arguments, &mut found),
    }
}

fn apply(
    rule: &KeySpec,
    arguments: &Arguments<'_>,
    found: &mut impl FnMut(usize, Access),
) -> Result<(), KeyError> {
    let len = arguments.len() as i64;
    let begin = match rule.begin {
        Begin::Index(index) => index as i64,
        Begin::Keyword { word, from } => match keyword(arguments, word, from) {
            Some(position) => position as i64 + 1,
            None => return Ok(()),
        },
        Begin::Unknown => return Err(KeyError::Invalid),
    };
    let (first, last, step) = match rule.find {
        Find::Range { last, step, limit } => {
            let last = match (last >= 0, limit) {
                (true, _) => begin + last as i64,
                (false, 0 | 1) => len + last as i64,
                (false, limit) => begin + (len - begin) / limit as i64 + last as i64,
            };
            (begin, last, step as i64)
        }
        Find::Count { count, first, step } => {
            let number = arguments.opt((begin + count as i64) as usize).ok_or(KeyError::Invalid)?;
            let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<i64>().ok());
            let number = number.filter(|number| (0..=len).contains(number)).ok_or(KeyError::Invalid)?;
            let first = begin + first as i64;
            (first, first + (number - 1) * step as i64, step as i64)
        }
        Find::Unknown => return Err(KeyError::Invalid),
    };
    if last >= len {
        return Err(KeyError::Invalid);
    }
    let mut position = first;
    while position <= last {
        found(position as usize, rule.access);
        position += step;
    }
    Ok(())
}

fn keyword(arguments: &Arguments<'_>, word: &str, from: i32) -> Option<usize> {
    if from >= 0 {
        return (from as usize..arguments.len()).find(|position| arguments.is(*position, word));
    }
    let last = arguments.len().checked_sub(from.unsigned_abs() as usize)?;
    (1..=last).rev().find(|position| arguments.is(*position, word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArguments;

    fn keys(rules: &'static [KeySpec], line: &str) -> Result<Vec<usize>, KeyError> {
        let spec = Spec { keys: Keys::Rules(rules), ..Spec::BASE };
        let arguments: OwnedArguments = line.split(' ').collect();
        let mut positions = Vec::new();
        for_each_key(&spec, &arguments.view(), |position, _| positions.push(position))?;
        Ok(positions)
    }

    #[test]
    fn one_key_is_found_as_by_its_rule() {
        let spec = Spec { keys: Keys::one(2, Access::READ), ..Spec::BASE };
        for line in ["object", "object freq", "object freq a", "object freq a b"] {
            let arguments: OwnedArguments = line.split(' ').collect();
            let mut positions = Vec::new();
            let found = for_each_key(&spec, &arguments.view(), |position, access| {
                assert_eq!(access, Access::READ);
                positions.push(position);
            });
            const RULE: &[KeySpec] = &[KeySpec::one(2, Access::READ)];
            assert_eq!(found.map(|()| positions), keys(RULE, line));
        }
    }

    #[test]
    fn rules_find_keys() {
        const ONE: &[KeySpec] = &[KeySpec::one(1, Access::READ)];
        const ALL: &[KeySpec] = &[KeySpec::range(1, -1, 1, Access::RM)];
        const PAIRS: &[KeySpec] = &[KeySpec::range(1, -1, 2, Access::OW)];
        const STORE: &[KeySpec] = &[KeySpec::one(1, Access::OW), KeySpec::count(2, Access::READ)];
        const STREAMS: &[KeySpec] = &[KeySpec {
            begin: Begin::Keyword { word: "STREAMS", from: 1 },
            find: Find::Range { last: -1, step: 1, limit: 2 },
            access: Access::READ,
        }];
        assert_eq!(keys(ONE, "get a"), Ok(vec![1]));
        assert_eq!(keys(ONE, "get"), Err(KeyError::Invalid));
        assert_eq!(keys(ALL, "del a b c"), Ok(vec![1, 2, 3]));
        assert_eq!(keys(PAIRS, "mset a 1 b 2"), Ok(vec![1, 3]));
        assert_eq!(keys(STORE, "zunionstore d 2 a b WEIGHTS 1 2"), Ok(vec![1, 3, 4]));
        assert_eq!(keys(STORE, "zunionstore d 3 a b"), Err(KeyError::Invalid));
        assert_eq!(keys(STORE, "zunionstore d x a b"), Err(KeyError::Invalid));
        assert_eq!(keys(STREAMS, "xread COUNT 2 streams a b 0 0"), Ok(vec![4, 5]));
        assert_eq!(keys(STREAMS, "xread COUNT 2"), Ok(vec![]));
    }
}

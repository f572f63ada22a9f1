//! Commands that are cut by key over several cores, and their replies put together again.

use super::error::CommandError;
use super::keys::{Find, for_each_key};
use super::route::Merge;
use super::spec::Spec;
use crate::number::parse_i64;
use crate::resp::{Arguments, OwnedArguments, Reply, reply_len};

/// The part of a command that one core runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPart {
    /// The core that owns its keys.
    pub core: u16,
    /// The same command with these keys alone.
    pub arguments: OwnedArguments,
    /// The place of each of its keys among the keys of the whole command.
    pub places: Vec<u32>,
}

/// Cuts a command by key: what precedes the first key goes to every part, what follows a key up to the next goes with it.
pub fn split(
    spec: &Spec,
    arguments: &Arguments<'_>,
    core_of: impl Fn(&[u8]) -> u16,
) -> Result<Vec<SplitPart>, CommandError> {
    let width = match spec.keys.rules() {
        [rule] => match rule.find {
            Find::Range { last: -1, step, .. } => step as usize,
            _ => unreachable!("{} has other arguments behind its keys: it cannot be cut", spec.name),
        },
        _ => unreachable!("{} has several kinds of keys: it cannot be cut", spec.name),
    };
    let mut positions = Vec::new();
    for_each_key(spec, arguments, |position, _| positions.push(position))
        .map_err(|_| CommandError::Syntax)?;
    if positions.last().is_some_and(|last| last + width != arguments.len()) {
        return Err(CommandError::WrongArity(spec.name));
    }
    let mut parts: Vec<SplitPart> = Vec::new();
    for (place, position) in positions.iter().enumerate() {
        let core = core_of(arguments.at(*position));
        let part = match parts.iter_mut().position(|part| part.core == core) {
            Some(index) => &mut parts[index],
            None => {
                let prefix = arguments.iter().take(positions[0]).collect();
                parts.push(SplitPart { core, arguments: prefix, places: Vec::new() });
                parts.last_mut().expect("a part was just added")
            }
        };
        part.places.push(place as u32);
        (*position..position + width).for_each(|at| part.arguments.push(arguments.at(at)));
    }
    parts.sort_by_key(|part| part.core);
    Ok(parts)
}

/// Writes the reply of a command that was cut: `parts` are the places of each part's keys and its reply. The first
/// error of a part is the reply of all.
pub fn join(merge: Merge, parts: &[(&[u32], &[u8])], reply: &mut Reply) {
    if let Some((_, error)) = parts.iter().find(|(_, bytes)| bytes.first() == Some(&b'-')) {
        return reply.raw(error);
    }
    match merge {
        Merge::Ok => reply.ok(),
        Merge::Sum => reply.integer(parts.iter().map(|(_, bytes)| integer(bytes)).sum()),
        Merge::Array => {
            let count = parts.iter().map(|(places, _)| places.len()).sum();
            let mut elements: Vec<&[u8]> = vec![&[]; count];
            for (places, bytes) in parts {
                let mut rest = after_header(bytes);
                for place in *places {
                    let len = reply_len(rest).expect("a part answers one element for each key");
                    (elements[*place as usize], rest) = rest.split_at(len);
                }
            }
            reply.array(count);
            elements.iter().for_each(|element| reply.raw(element));
        }
    }
}

fn integer(bytes: &[u8]) -> i64 {
    let digits = bytes.strip_prefix(b":").and_then(|rest| rest.strip_suffix(b"\r\n"));
    digits.and_then(parse_i64).expect("a part answers an integer")
}

fn after_header(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").expect("a part answers an array");
    &bytes[end + 2..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{Access, Keys};

    fn parts(step: i32, line: &str) -> Result<Vec<SplitPart>, CommandError> {
        let spec = Spec { name: "x", keys: Keys::range(1, -1, step, Access::RM), ..Spec::BASE };
        let words: OwnedArguments = line.split(' ').collect();
        split(&spec, &words.view(), |key| u16::from(key[0] - b'a'))
    }

    fn part(core: u16, line: &str, places: &[u32]) -> SplitPart {
        SplitPart { core, arguments: line.split(' ').collect(), places: places.to_vec() }
    }

    #[test]
    fn keys_go_to_their_cores_with_what_follows_them() {
        assert_eq!(
            parts(1, "del c a1 c2 a a1").unwrap(),
            [part(0, "del a1 a a1", &[1, 3, 4]), part(2, "del c c2", &[0, 2])]
        );
        assert_eq!(parts(2, "mset b 1 a 2").unwrap(), [part(0, "mset a 2", &[1]), part(1, "mset b 1", &[0])]);
        assert_eq!(parts(2, "mset b 1 a"), Err(CommandError::WrongArity("x")));
    }

    #[test]
    fn replies_become_one() {
        let joined = |merge, parts: &[(&[u32], &[u8])]| {
            let mut reply = Reply::default();
            join(merge, parts, &mut reply);
            String::from_utf8(reply.into_bytes()).unwrap().replace("\r\n", " ")
        };
        assert_eq!(joined(Merge::Sum, &[(&[0], b":2\r\n"), (&[1], b":40\r\n")]), ":42 ");
        assert_eq!(joined(Merge::Ok, &[(&[0], b"+OK\r\n"), (&[1], b"+OK\r\n")]), "+OK ");
        assert_eq!(joined(Merge::Ok, &[(&[0], b"+OK\r\n"), (&[1], b"-OOM x\r\n")]), "-OOM x ");
        let array: &[(&[u32], &[u8])] =
            &[(&[1, 3], b"*2\r\n$1\r\nb\r\n$-1\r\n"), (&[0, 2], b"*2\r\n$1\r\na\r\n$2\r\n\r\n\r\n")];
        assert_eq!(joined(Merge::Array, array), "*4 $1 a $1 b $2   $-1 ");
    }
}

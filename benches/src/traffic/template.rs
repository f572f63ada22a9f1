//! A command rendered once, with the places where numbers change: sending it is one copy and a few digits.

use std::ops::Range;

use crate::traffic::decimal::write_decimal;
use crate::traffic::keys::KeyChooser;
use crate::traffic::random::Random;

/// Digits of a key's or a random number's decimal form.
pub const NUMBER_WIDTH: usize = 12;
/// Digits of a hash field's number.
pub const FIELD_WIDTH: usize = 6;

/// What the placeholders of a command stand for.
#[derive(Clone, Debug)]
pub struct Fillings {
    /// `__key__` is this and the key's number.
    pub key_prefix: String,
    /// `__data__`.
    pub value: Vec<u8>,
    /// `__field__` is `field:` and a number below this.
    pub fields: u64,
    /// `__rand__` is a number below this.
    pub random_below: u64,
}

impl Fillings {
    /// Values of `bytes` printable bytes without a pattern that a compressor or a word-wise compare would find.
    pub fn value_of(bytes: usize) -> Vec<u8> {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut random = Random::new(0x0076_616c_7565);
        (0..bytes).map(|_| LETTERS[random.below(64) as usize]).collect()
    }
}

/// Where a command's changing numbers come from.
#[derive(Debug)]
pub struct Draw {
    /// Key numbers.
    pub keys: KeyChooser,
    /// Everything else.
    pub random: Random,
}

/// One command as bytes.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    patches: Vec<Patch>,
    /// The argument that decides the slot, when there is one.
    routing: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
struct Patch {
    at: Range<usize>,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The key that the caller drew, by which the command is routed.
    FirstKey,
    FurtherKey,
    Below(u64),
}

impl Template {
    /// A RESP command of these arguments, each with any number of placeholders.
    pub fn resp<S: AsRef<str>>(arguments: &[S], fillings: &Fillings) -> Self {
        let mut template = Self { bytes: Vec::new(), patches: Vec::new(), routing: None };
        template.bytes.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
        let routed = arguments.iter().position(|a| a.as_ref().contains("__key__")).unwrap_or(1);
        for (index, argument) in arguments.iter().enumerate() {
            let mut part = Self { bytes: Vec::new(), patches: Vec::new(), routing: None };
            part.fill_in(argument.as_ref(), fillings, template.has_key());
            template.bytes.extend_from_slice(format!("${}\r\n", part.bytes.len()).as_bytes());
            let start = template.bytes.len();
            template.append(part);
            if index == routed {
                template.routing = Some(start..template.bytes.len());
            }
            template.bytes.extend_from_slice(b"\r\n");
        }
        template
    }

    /// A command of any line protocol, taken as it is but for its placeholders.
    pub fn raw(text: &str, fillings: &Fillings) -> Self {
        let mut template = Self { bytes: Vec::new(), patches: Vec::new(), routing: None };
        template.fill_in(text, fillings, false);
        template
    }

    /// Appends the command for `key`; what else changes is drawn.
    #[inline]
    pub fn render(&self, out: &mut Vec<u8>, key: u64, draw: &mut Draw) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let command = &mut out[start..];
        for patch in &self.patches {
            let value = match patch.source {
                Source::FirstKey => key,
                Source::FurtherKey => draw.keys.choose(&mut draw.random),
                Source::Below(bound) => draw.random.below(bound),
            };
            write_decimal(&mut command[patch.at.clone()], value);
        }
    }

    /// The place of the routed argument inside a rendered command.
    pub fn routing(&self) -> Option<Range<usize>> {
        self.routing.clone()
    }

    /// Bytes of the command on the wire.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn has_key(&self) -> bool {
        self.patches.iter().any(|p| p.source == Source::FirstKey)
    }

    fn append(&mut self, part: Self) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&part.bytes);
        self.patches.extend(
            part.patches
                .into_iter()
                .map(|p| Patch { at: p.at.start + base..p.at.end + base, source: p.source }),
        );
    }

    fn fill_in(&mut self, text: &str, fillings: &Fillings, mut key_taken: bool) {
        let mut rest = text;
        while let Some((before, placeholder, after)) = next_placeholder(rest) {
            self.bytes.extend_from_slice(before.as_bytes());
            match placeholder {
                "__key__" => {
                    self.bytes.extend_from_slice(fillings.key_prefix.as_bytes());
                    let source = if key_taken { Source::FurtherKey } else { Source::FirstKey };
                    key_taken = true;
                    self.number(NUMBER_WIDTH, source);
                }
                "__rand__" => self.number(NUMBER_WIDTH, Source::Below(fillings.random_below)),
                "__field__" => {
                    self.bytes.extend_from_slice(b"field:");
                    self.number(FIELD_WIDTH, Source::Below(fillings.fields));
                }
                _ => self.bytes.extend_from_slice(&fillings.value),
            }
            rest = after;
        }
        self.bytes.extend_from_slice(rest.as_bytes());
    }

    fn number(&mut self, width: usize, source: Source) {
        let start = self.bytes.len();
        self.bytes.resize(start + width, b'0');
        self.patches.push(Patch { at: start..start + width, source });
    }
}

/// Text before the first placeholder, the placeholder, and what follows it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    ["__key__", "__rand__", "__field__", "__data__"]
        .into_iter()
        .filter_map(|name| text.find(name).map(|at| (at, name)))
        .min()
        .map(|(at, name)| (&text[..at], name, &text[at + name.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::keys::Distribution;

    fn rendered(template: &Template, key: u64) -> String {
        let keys = KeyChooser::new(Distribution::Sequential, 700, 10);
        let mut draw = Draw { keys, random: Random::new(1) };
        let mut out = Vec::new();
        template.render(&mut out, key, &mut draw);
        assert_eq!(out.len(), template.size_bytes());
        String::from_utf8(out).unwrap().replace("\r\n", "|")
    }

    fn fillings() -> Fillings {
        Fillings { key_prefix: "key:".into(), value: b"abc".to_vec(), fields: 1, random_below: 1 }
    }

    #[test]
    fn commands_render() {
        let cases = [
            ("GET __key__", "*2|$3|GET|$16|key:000000000042|"),
            ("SET __key__ __data__", "*3|$3|SET|$16|key:000000000042|$3|abc|"),
            (
                "HSET h:{__key__} __field__ __data__-__data__",
                "*4|$4|HSET|$20|h:{key:000000000042}|$12|field:000000|$7|abc-abc|",
            ),
            (
                "MSET __key__ 1 __key__ 2 __key__ 3",
                "*7|$4|MSET|$16|key:000000000042|$1|1|$16|key:000000000700|$1|2|$16|key:000000000701|$1|3|",
            ),
            ("ECHO __rand__", "*2|$4|ECHO|$12|000000000000|"),
            ("PING", "*1|$4|PING|"),
        ];
        for (command, wanted) in cases {
            let arguments: Vec<&str> = command.split(' ').collect();
            assert_eq!(rendered(&Template::resp(&arguments, &fillings()), 42), wanted);
        }
        let raw = Template::raw("set __key__ 0 0 3\r\n__data__\r\n", &fillings());
        assert_eq!(rendered(&raw, 1), "set key:000000000001 0 0 3|abc|");
    }

    #[test]
    fn the_routed_argument_is_found() {
        let cases = [
            ("EVAL x 1 __key__", Some("key:000000000042")),
            ("INCR counter", Some("counter")),
            ("PING", None),
            ("MSET a:__key__ 1 b:__key__ 2", Some("a:key:000000000042")),
        ];
        for (command, wanted) in cases {
            let arguments: Vec<&str> = command.split(' ').collect();
            let template = Template::resp(&arguments, &fillings());
            let mut draw =
                Draw { keys: KeyChooser::new(Distribution::Uniform, 0, 1), random: Random::new(1) };
            let mut out = Vec::new();
            template.render(&mut out, 42, &mut draw);
            let found = template.routing().map(|range| std::str::from_utf8(&out[range]).unwrap());
            assert_eq!(found, wanted, "{command}");
        }
    }
}

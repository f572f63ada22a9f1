//! Reading a configuration file: `name value …` a line, `#` comments, `include`.

use super::document::takes;
use super::kind::Rejection;
use super::line::split;
use super::parameter::Parameter;
use super::refused::remedy;
use super::table::{Config, parameter, parameters};
use std::fmt;

/// How deep includes may nest.
pub const INCLUDE_DEPTH_MAX: usize = 8;
/// How many files may be included in all.
pub const INCLUDES_MAX: usize = 64;
/// How many faults are reported at once.
pub const FAULTS_MAX: usize = 20;
/// How much of a faulty line is shown.
const SHOWN_MAX: usize = 80;

/// A file that an `include` names, read by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its path, for messages.
    pub name: String,
    /// What it holds.
    pub text: Vec<u8>,
}

/// What is wrong with a line, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The line's text; cut if it is long, and without a password.
    pub text: String,
    /// What is wrong with it.
    pub fault: FileFault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFault {
    /// A quote is not closed, or text follows it.
    Quotes,
    /// There is no such parameter.
    Unknown(String),
    /// The value was refused.
    Refused(&'static str, Rejection),
    /// The file to include could not be read.
    Include(String),
    /// Includes nest deeper, or are more, than the limits.
    IncludeLimit,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, text, fault } = self;
        write!(f, "{file}:{line}: {fault}\n    >>> {text}\n    {}", fault.remedy())
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quotes => f.write_str("unbalanced quotes"),
            Self::Unknown(name) => write!(f, "there is no parameter `{name}`"),
            Self::Refused(name, rejection) => write!(f, "`{name}`: {rejection}"),
            Self::Include(why) => write!(f, "cannot include: {why}"),
            Self::IncludeLimit => f.write_str("too many includes, or files that include each other"),
        }
    }
}

impl FileFault {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Quotes => "Put the value in double quotes, with \\\" for a quote inside.".to_owned(),
            Self::Unknown(name) => match (remedy(name.as_bytes()), nearest(name)) {
                (Some(remedy), _) => format!("In Whimbrel: {remedy}."),
                (None, Some(near)) => format!("Did you mean `{near}`?"),
                (None, None) => "`whimbrel --help` lists the parameters.".to_owned(),
            },
            Self::Refused(name, _) => match parameter(name.as_bytes()) {
                Some(row) => format!("`{name}` takes: {}.", takes(&row.kind)),
                None => String::new(),
            },
            Self::Include(_) => "Give a path that can be read, or leave it out.".to_owned(),
            Self::IncludeLimit => {
                format!("At most {INCLUDES_MAX} files may be included, at most {INCLUDE_DEPTH_MAX} deep.")
            }
        }
    }
}

/// Reads the text of a file into `config`. `include` gives the files that an `include` line names. All faults are
/// found before any is reported; with a fault, `config` is left half read and must not be used.
pub fn load(
    config: &mut Config,
    name: &str,
    text: &[u8],
    include: &mut dyn FnMut(&str) -> Result<Vec<Included>, String>,
) -> Result<(), Vec<FileError>> {
    let mut reader = Reader { config, include, included: 0, errors: Vec::new() };
    reader.file(name, text, 0);
    if reader.errors.is_empty() { Ok(()) } else { Err(reader.errors) }
}

struct Reader<'a> {
    config: &'a mut Config,
    include: &'a mut dyn FnMut(&str) -> Result<Vec<Included>, String>,
    included: usize,
    /// At most `FAULTS_MAX`.
    errors: Vec<FileError>,
}

impl Reader<'_> {
    fn file(&mut self, name: &str, text: &[u8], depth: usize) {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if self.errors.len() >= FAULTS_MAX {
                return;
            }
            if let Err(fault) = self.line(line, depth) {
                self.errors.push(FileError {
                    file: name.to_owned(),
                    line: index + 1,
                    text: shown(line),
                    fault,
                });
            }
        }
    }

    fn line(&mut self, line: &[u8], depth: usize) -> Result<(), FileFault> {
        let words = match Line::read(line) {
            Line::Blank => return Ok(()),
            Line::Unreadable => return Err(FileFault::Quotes),
            Line::Include(path) => return self.include(&path, depth + 1),
            Line::Words(words) => words,
        };
        let (name, values) = words.split_first().expect("a line that is not blank has a first word");
        let row =
            parameter(name).ok_or_else(|| FileFault::Unknown(String::from_utf8_lossy(name).into_owned()))?;
        row.assign(self.config, values).map_err(|why| FileFault::Refused(row.name, why))
    }

    fn include(&mut self, path: &str, depth: usize) -> Result<(), FileFault> {
        for Included { name, text } in (self.include)(path).map_err(FileFault::Include)? {
            self.included += 1;
            if depth > INCLUDE_DEPTH_MAX || self.included > INCLUDES_MAX {
                return Err(FileFault::IncludeLimit);
            }
            self.file(&name, &text, depth);
        }
        Ok(())
    }
}

/// What stands on a line.
pub(super) enum Line {
    Blank,
    Unreadable,
    Include(String),
    /// A name and its values; at least one word.
    Words(Vec<Vec<u8>>),
}

impl Line {
    pub(super) fn read(line: &[u8]) -> Self {
        if line.trim_ascii_start().starts_with(b"#") {
            return Self::Blank;
        }
        match split(line) {
            None => Self::Unreadable,
            Some(words) if words.is_empty() => Self::Blank,
            Some(words) => match &words[..] {
                [name, path] if name.eq_ignore_ascii_case(b"include") => {
                    Self::Include(String::from_utf8_lossy(path).into_owned())
                }
                _ => Self::Words(words),
            },
        }
    }

    /// The parameter that the line sets.
    pub(super) fn parameter(&self) -> Option<&'static Parameter> {
        match self {
            Self::Words(words) => parameter(&words[0]),
            _ => None,
        }
    }
}

/// The line as a message may show it.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
    let name = text.split([' ', '\t', '"']).find(|word| !word.is_empty()).unwrap_or("").to_owned();
    if name.to_ascii_lowercase().contains("pass") || name.to_ascii_lowercase().contains("auth") {
        return format!("{name} …");
    }
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{} …", text[..end].escape_debug()),
        None => text.replace(char::is_control, "?"),
    }
}

/// The parameter whose name is at most two letters away.
fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > 64 {
        return None;
    }
    let names = parameters().flat_map(Parameter::names);
    let with_distance =
        names.map(|known| (distance(known.as_bytes(), name.to_ascii_lowercase().as_bytes()), known));
    with_distance.min().filter(|(distance, _)| *distance <= 2).map(|(_, known)| known)
}

/// How many letters have to be put in, taken out or replaced to make one word of the other.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (index, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(row[index] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn none(path: &str) -> Result<Vec<Included>, String> {
        Err(format!("{path}: no such file"))
    }

    fn faults(text: &[u8]) -> Vec<String> {
        let result = load(&mut Config::default(), "w.conf", text, &mut none);
        result.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_is_read() {
        let text = "\u{feff}# comment\r\n\r\n  PORT 7001\r\nbind 127.0.0.1 -::1\nsave \"\"\n\tmaxmemory 1gb\n\
                    maxmemory 2gb\nrequirepass \"a b\"\nclient-output-buffer-limit normal 1 2 3\n\
                    client-output-buffer-limit pubsub 4 5 6";
        let mut config = Config::default();
        assert_eq!(load(&mut config, "w.conf", text.as_bytes(), &mut none), Ok(()));
        assert_eq!((config.port, config.maxmemory), (7001, 2 << 30));
        assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
        assert_eq!(config.requirepass.as_bytes(), b"a b");
        assert_eq!(
            config.client_output_buffer_limit.text(),
            "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6"
        );
    }

    #[test]
    fn every_fault_names_its_line_and_the_remedy() {
        let cases: &[(&str, &str)] = &[
            (
                "port 99999",
                "w.conf:1: `port`: argument must be between 0 and 65535 inclusive\n    >>> port 99999\n    `port` takes: number, 0 to 65535.",
            ),
            (
                "\nport",
                "w.conf:2: `port`: wrong number of arguments\n    >>> port\n    `port` takes: number, 0 to 65535.",
            ),
            (
                "dir \"a",
                "w.conf:1: unbalanced quotes\n    >>> dir \"a\n    Put the value in double quotes, with \\\" for a quote inside.",
            ),
            ("prot 1", "w.conf:1: there is no parameter `prot`\n    >>> prot 1\n    Did you mean `port`?"),
            (
                "quux 1",
                "w.conf:1: there is no parameter `quux`\n    >>> quux 1\n    `whimbrel --help` lists the parameters.",
            ),
            (
                "rename-command KEYS \"\"",
                "w.conf:1: there is no parameter `rename-command`\n    >>> rename-command KEYS \"\"\n    In Whimbrel: commands keep their names; leave it out, and keep clients out by requirepass and bind.",
            ),
            (
                "include /x",
                "w.conf:1: cannot include: /x: no such file\n    >>> include /x\n    Give a path that can be read, or leave it out.",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(faults(text.as_bytes()), [*expected], "{text}");
        }
        assert_eq!(faults(b"save 900 1\nappendonly yes\nport 1").len(), 2);
        assert_eq!(faults("nosuch 1\n".repeat(1000).as_bytes()).len(), FAULTS_MAX);
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in ["requirepass \"sesame", "requirepass sesame open", "  \"masterauth\" sesame open"] {
            assert!(!faults(text.as_bytes())[0].contains("sesame"), "{text}");
        }
    }

    #[test]
    fn includes_stand_where_they_are_named() {
        let mut files = |path: &str| {
            let text = match path {
                "a" => "timeout 1\ninclude b",
                "b" => "timeout 2\nmaxmemory 1",
                "loop" => "include loop",
                _ => return Err("missing".to_owned()),
            };
            Ok(vec![Included { name: path.to_owned(), text: text.as_bytes().to_vec() }])
        };
        let mut config = Config::default();
        assert_eq!(load(&mut config, "w.conf", b"maxmemory 5\ninclude a\ntimeout 3", &mut files), Ok(()));
        assert_eq!((config.timeout, config.maxmemory), (3, 1));
        let errors = load(&mut config, "w.conf", b"include loop", &mut files).unwrap_err();
        assert_eq!((&errors[0].fault, &*errors[0].file), (&FileFault::IncludeLimit, "loop"));
    }

    #[test]
    fn distances() {
        for (left, right, expected) in [("", "", 0), ("port", "prot", 2), ("a", "", 1), ("bind", "binds", 1)]
        {
            assert_eq!(distance(left.as_bytes(), right.as_bytes()), expected);
        }
    }

    proptest! {
        #[test]
        fn any_file_is_answered(text: Vec<u8>) {
            let _ = faults(&text);
        }

        #[test]
        fn names_with_any_values_are_answered(
            lines in proptest::collection::vec((0..parameters().count(), "\\PC{0,20}"), 0..20)
        ) {
            let line = |(index, value): &(usize, String)| {
                format!("{} {value}\n", parameters().nth(*index).map_or("", |row| row.name))
            };
            let _ = faults(lines.iter().map(line).collect::<String>().as_bytes());
        }
    }
}

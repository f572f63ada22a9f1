//! CONFIG GET and CONFIG SET.

use super::kind::Rejection;
use super::parameter::{Parameter, When};
use super::table::{Config, parameter, parameters};
use crate::glob::{self, Case};
use std::fmt;

/// Why CONFIG SET changed nothing. The texts are those of Redis, without `ERR `.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetError {
    /// No parameter of this name.
    Unknown(String),
    /// The parameter can only be set at the start.
    Immutable(String),
    /// The parameter stands in the command twice.
    Twice(String),
    /// The value was refused.
    Refused(&'static str, Rejection),
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = "CONFIG SET failed (possibly related to argument";
        match self {
            Self::Unknown(name) => {
                write!(f, "Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            Self::Immutable(name) => write!(f, "{failed} '{name}') - can't set immutable config"),
            Self::Twice(name) => write!(f, "{failed} '{name}') - duplicate parameter"),
            Self::Refused(name, rejection) => write!(f, "{failed} '{name}') - {rejection}"),
        }
    }
}

impl Config {
    /// Every parameter that one of the patterns names, once, under the name that matched, with its value.
    pub fn query(&self, patterns: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |name: String, row: &Parameter| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                found.push((name, row.text(self)));
            }
        };
        for pattern in patterns {
            if let Some(name) = glob::literal(pattern) {
                // Redis answers a plain name in the letters in which it was asked.
                if let Some(row) = parameter(name) {
                    add(String::from_utf8_lossy(name).into_owned(), row);
                }
                continue;
            }
            for row in parameters() {
                for name in row.names().filter(|n| glob::matches(pattern, n.as_bytes(), Case::Insensitive)) {
                    add(name.to_owned(), row);
                }
            }
        }
        found
    }

    /// Sets all of the pairs or none, and gives the parameters whose value is another now.
    pub fn set(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<Vec<&'static Parameter>, SetError> {
        let rows = rows(pairs)?;
        let mut next = self.clone();
        for (row, (_, value)) in rows.iter().zip(pairs) {
            row.assign(&mut next, &[value.to_vec()]).map_err(|why| SetError::Refused(row.name, why))?;
        }
        let changed = rows.into_iter().filter(|row| row.text(self) != row.text(&next)).collect();
        *self = next;
        Ok(changed)
    }
}

/// Finds the parameters of all pairs.
fn rows(pairs: &[(&[u8], &[u8])]) -> Result<Vec<&'static Parameter>, SetError> {
    let mut rows: Vec<&'static Parameter> = Vec::new();
    for (name, _) in pairs {
        let shown = || String::from_utf8_lossy(name).into_owned();
        let row = parameter(name).ok_or_else(|| SetError::Unknown(shown()))?;
        if row.when == When::Start {
            return Err(SetError::Immutable(shown()));
        }
        if rows.iter().any(|known| known.name == row.name) {
            return Err(SetError::Twice(shown()));
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(config: &mut Config, words: &[&str]) -> String {
        let pairs: Vec<_> =
            words.chunks_exact(2).map(|pair| (pair[0].as_bytes(), pair[1].as_bytes())).collect();
        match config.set(&pairs) {
            Ok(changed) => changed.iter().map(|row| row.name).collect::<Vec<_>>().join(" "),
            Err(error) => format!("! {error}"),
        }
    }

    #[test]
    fn answers_are_those_of_redis() {
        let failed = |name: &str| format!("! CONFIG SET failed (possibly related to argument '{name}') - ");
        let one_of = failed("loglevel")
            + "argument(s) must be one of the following: debug, verbose, notice, warning, nothing";
        let cases: &[(&[&str], &str)] = &[
            (&["maxmemory", "1gb"], "maxmemory"),
            (&["maxmemory", "0"], ""),
            (&["maxmemory", "1gb", "TIMEOUT", "5"], "maxmemory timeout"),
            (&["maxmemory", "abc"], &(failed("maxmemory") + "argument must be a memory value")),
            (
                &["timeout", "-1"],
                &(failed("timeout") + "argument must be between 0 and 2147483647 inclusive"),
            ),
            (&["timeout", "x"], &(failed("timeout") + "argument couldn't be parsed into an integer")),
            (&["PORT", "1"], &(failed("PORT") + "can't set immutable config")),
            (&["timeout", "1", "timeout", "2"], &(failed("timeout") + "duplicate parameter")),
            (&["port", "1", "nosuch", "2"], &(failed("port") + "can't set immutable config")),
            (
                &["nosuch", "2", "port", "1"],
                "! Unknown option or number of arguments for CONFIG SET - 'nosuch'",
            ),
            (&["loglevel", "x"], &one_of),
            (&["save", ""], ""),
            (&["hash-max-ziplist-value", "32"], "hash-max-listpack-value"),
            (&["client-output-buffer-limit", "pubsub 1 2 3"], "client-output-buffer-limit"),
        ];
        for (words, expected) in cases {
            assert_eq!(set(&mut Config::default(), words), *expected, "{words:?}");
        }
    }

    #[test]
    fn persistence_is_refused_not_pretended() {
        for words in [["save", "900 1"], ["appendonly", "yes"], ["databases", "16"]] {
            let answer = set(&mut Config::default(), &words);
            assert!(answer.contains("the only value is"), "{answer}");
        }
    }

    #[test]
    fn all_or_nothing() {
        let mut config = Config::default();
        assert!(set(&mut config, &["timeout", "5", "maxmemory", "x"]).starts_with('!'));
        assert_eq!(config, Config::default());
    }

    #[test]
    fn get_takes_globs_and_several_patterns() {
        let config = Config::default();
        let names = |patterns: &[&str]| -> Vec<String> {
            let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
            config.query(&patterns).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(&["slowlog*", "TIMEOUT", "slowlog-max-len", "Timeout"]),
            ["slowlog-log-slower-than", "slowlog-max-len", "TIMEOUT"]
        );
        assert_eq!(names(&["hash-max-ziplist-*"]), ["hash-max-ziplist-entries", "hash-max-ziplist-value"]);
        assert_eq!(names(&["nosuch", "nosuch*"]), [""; 0]);
        assert_eq!(names(&["*"]).len(), parameters().flat_map(Parameter::names).count());
        assert_eq!(config.query(&[b"bind"])[0].1, b"127.0.0.1");
    }
}

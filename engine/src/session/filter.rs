//! Which clients CLIENT LIST shows and CLIENT KILL ends.

use super::client::{ClientId, Session};
use super::describe::flags;
use crate::commands::CommandError;
use crate::config::ClientClass;
use crate::core::Now;
use crate::number::parse_i64;
use crate::resp::Arguments;

/// Letters that CLIENT LIST of Redis and Valkey may show in `flags`.
const FLAG_LETTERS: &[u8] = b"NOMSPxbtRBdFcuAUrLeTIEiw";

/// Conditions that a client has to meet, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    ids: Vec<ClientId>,
    peer: Option<Vec<u8>>,
    local: Option<Vec<u8>>,
    class: Option<Class>,
    name: Option<Vec<u8>>,
    lib_name: Option<Vec<u8>>,
    lib_version: Option<Vec<u8>>,
    age_min_s: u64,
    idle_min_s: u64,
    ip: Option<Vec<u8>>,
    /// Letters of CLIENT LIST's `flags`, all of which the client has.
    flags: Vec<u8>,
    /// Conditions that the client must not meet (`NOT-NAME`).
    not: Vec<Filter>,
    /// Whether the client that asks is left out.
    pub skip_me: bool,
}

/// A class that clients may name; nobody is a master's connection here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Of(ClientClass),
    Link,
    Master,
}

impl Filter {
    /// The client with this address, whoever asks.
    pub fn peer(address: &[u8]) -> Self {
        Self { peer: Some(address.to_vec()), ..Self::default() }
    }

    /// Reads pairs of a condition and its value; `ID` takes several values. `bad_id` is the error for an id that is none.
    pub fn parse(words: &Arguments<'_>, skip_me: bool, bad_id: &'static str) -> Result<Self, CommandError> {
        let mut filter = Self { skip_me, ..Self::default() };
        let mut at = 0;
        while at < words.len() {
            let value = words.opt(at + 1).ok_or(CommandError::Syntax)?;
            if words.is(at, "ID") {
                at = filter.parse_ids(words, at + 1, bad_id)?;
            } else if words.is(at, "NOT-ID") {
                let mut not = Self::default();
                at = not.parse_ids(words, at + 1, bad_id)?;
                filter.not.push(not);
            } else {
                filter.parse_pair(words.at(at), value)?;
                at += 2;
            }
        }
        Ok(filter)
    }

    /// Reads ids from `at` on, at least one; answers where they end.
    fn parse_ids(
        &mut self,
        words: &Arguments<'_>,
        mut at: usize,
        bad_id: &'static str,
    ) -> Result<usize, CommandError> {
        self.ids.clear();
        while let Some(word) = words.opt(at) {
            match parse_i64(word).filter(|id| *id > 0) {
                Some(id) => self.ids.push(ClientId(id as u64)),
                // A word that is no number may be the next condition, but not instead of the first id.
                None if !self.ids.is_empty() && word.first().is_some_and(u8::is_ascii_alphabetic) => break,
                None => return Err(CommandError::Static(bad_id)),
            }
            at += 1;
        }
        Ok(at)
    }

    fn parse_pair(&mut self, condition: &[u8], value: &[u8]) -> Result<(), CommandError> {
        let text = || String::from_utf8_lossy(value);
        let condition = condition.to_ascii_uppercase();
        if let Some(negated) = condition.strip_prefix(b"NOT-") {
            if matches!(negated, b"SKIPME" | b"MAXAGE" | b"IDLE") || negated.starts_with(b"NOT-") {
                return Err(CommandError::Syntax);
            }
            let mut not = Self::default();
            not.parse_pair(negated, value)?;
            self.not.push(not);
            return Ok(());
        }
        match condition.as_slice() {
            b"IP" => self.ip = Some(value.to_vec()),
            b"DB" if value == b"0" => {}
            b"DB" if parse_i64(value).is_none() => {
                return Err(CommandError::Static("ERR DB is not an integer or out of range"));
            }
            b"DB" => return Err(CommandError::Static("ERR DB number should be between 0 and 0")),
            b"FLAGS" => match value.iter().find(|letter| !FLAG_LETTERS.contains(letter)) {
                None => self.flags = value.to_vec(),
                Some(_) => {
                    let text = format!("ERR Unknown flags found in the provided filter: {}", text());
                    return Err(CommandError::text(text));
                }
            },
            b"ADDR" => self.peer = Some(value.to_vec()),
            b"LADDR" => self.local = Some(value.to_vec()),
            b"NAME" => self.name = Some(value.to_vec()),
            b"LIB-NAME" => self.lib_name = Some(value.to_vec()),
            b"LIB-VER" => self.lib_version = Some(value.to_vec()),
            b"TYPE" => {
                let unknown = || CommandError::text(format!("ERR Unknown client type '{}'", text()));
                self.class = Some(class(value).ok_or_else(unknown)?);
            }
            b"USER" if value == b"default" => {}
            b"USER" => return Err(CommandError::text(format!("ERR No such user '{}'", text()))),
            b"SKIPME" if value.eq_ignore_ascii_case(b"yes") => self.skip_me = true,
            b"SKIPME" if value.eq_ignore_ascii_case(b"no") => self.skip_me = false,
            b"MAXAGE" => self.age_min_s = seconds(value, "maxage")?,
            b"IDLE" => self.idle_min_s = seconds(value, "idle")?,
            _ => return Err(CommandError::Syntax),
        }
        Ok(())
    }

    /// Whether `session` meets all conditions; `caller` asks.
    pub fn admits(&self, session: &Session, caller: ClientId, now: Now) -> bool {
        let equals =
            |wanted: &Option<Vec<u8>>, found: &[u8]| wanted.as_deref().is_none_or(|text| text == found);
        (self.ids.is_empty() || self.ids.contains(&session.id))
            && equals(&self.peer, session.peer.as_bytes())
            && equals(&self.local, session.local.as_bytes())
            && equals(&self.ip, session.peer.rsplit_once(':').map_or("", |(ip, _)| ip).as_bytes())
            && equals(&self.name, &session.name)
            && equals(&self.lib_name, &session.lib_name)
            && equals(&self.lib_version, &session.lib_version)
            && self.class.is_none_or(|class| class == Class::of(session))
            && session.age_s(now) >= self.age_min_s
            && session.idle_s(now) >= self.idle_min_s
            && (self.flags.is_empty() || {
                let flags = flags(session);
                self.flags.iter().all(|letter| flags.as_bytes().contains(letter))
            })
            && !(self.skip_me && session.id == caller)
            && !self.not.iter().any(|not| not.admits(session, caller, now))
    }
}

impl Class {
    fn of(session: &Session) -> Self {
        if session.is_link { Self::Link } else { Self::Of(session.class) }
    }
}

fn class(name: &[u8]) -> Option<Class> {
    match name.to_ascii_lowercase().as_slice() {
        b"normal" => Some(Class::Of(ClientClass::Normal)),
        b"replica" | b"slave" => Some(Class::Of(ClientClass::Replica)),
        b"pubsub" => Some(Class::Of(ClientClass::Pubsub)),
        b"link" => Some(Class::Link),
        b"master" | b"primary" => Some(Class::Master),
        _ => None,
    }
}

fn seconds(value: &[u8], condition: &str) -> Result<u64, CommandError> {
    match parse_i64(value) {
        None => Err(CommandError::text(format!("ERR {condition} is not an integer or out of range"))),
        Some(..=0) => Err(CommandError::text(format!("ERR {condition} should be greater than 0"))),
        Some(seconds) => Ok(seconds as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArguments;

    fn parse(line: &str) -> Result<Filter, String> {
        let words: OwnedArguments = line.split(' ').filter(|word| !word.is_empty()).collect();
        Filter::parse(&words.view(), false, "ERR bad id").map_err(|error| error.to_string())
    }

    #[test]
    fn conditions_narrow_down() {
        let now = Now { unix_ms: 0, monotonic_us: 100_000_000 };
        let session = Session {
            id: ClientId(7),
            peer: "1.2.3.4:5".to_owned(),
            local: "4.3.2.1:6379".to_owned(),
            name: b"n".to_vec(),
            active: Now { unix_ms: 0, monotonic_us: 60_000_000 },
            ..Session::default()
        };
        let admits = |line: &str, caller| parse(line).unwrap().admits(&session, ClientId(caller), now);
        for line in [
            "",
            "ID 7",
            "id 3 7",
            "ADDR 1.2.3.4:5",
            "LADDR 4.3.2.1:6379",
            "TYPE normal",
            "USER default",
            "MAXAGE 100",
            "NAME n",
            "IDLE 40",
            "ID 3 7 TYPE normal SKIPME no",
            "IP 1.2.3.4 FLAGS N DB 0",
            "NOT-ID 8 9 NOT-NAME m",
            "not-flags Ue NOT-TYPE pubsub",
        ] {
            assert!(admits(line, 7), "{line}");
        }
        for line in [
            "ID 8",
            "ADDR 1",
            "LADDR 1",
            "TYPE pubsub",
            "TYPE master",
            "MAXAGE 101",
            "NAME m",
            "IDLE 41",
            "SKIPME yes",
            "LIB-NAME x",
            "IP 1.2.3",
            "FLAGS NU",
            "NOT-ID 6 7",
            "NOT-FLAGS N",
            "NOT-DB 0",
            "NOT-USER default",
        ] {
            assert!(!admits(line, 7), "{line}");
        }
        assert!(admits("SKIPME yes", 8));
        assert!(Filter::peer(b"1.2.3.4:5").admits(&session, ClientId(7), now));
    }

    #[test]
    fn conditions_that_are_none_are_refused() {
        for (line, error) in [
            ("ID", "ERR syntax error"),
            ("ID x", "ERR bad id"),
            ("ID 0", "ERR bad id"),
            ("ID 1 -2", "ERR bad id"),
            ("ID 1 x y", "ERR syntax error"),
            ("TYPE boss", "ERR Unknown client type 'boss'"),
            ("USER bob", "ERR No such user 'bob'"),
            ("SKIPME maybe", "ERR syntax error"),
            ("MAXAGE x", "ERR maxage is not an integer or out of range"),
            ("MAXAGE 0", "ERR maxage should be greater than 0"),
            ("DB x", "ERR DB is not an integer or out of range"),
            ("FLAGS Q", "ERR Unknown flags found in the provided filter: Q"),
            ("NOT-MAXAGE 5", "ERR syntax error"),
            ("NOT-NOT-ID 5", "ERR syntax error"),
            ("NOT-USER bob", "ERR No such user 'bob'"),
        ] {
            assert_eq!(parse(line), Err(error.to_owned()), "{line}");
        }
    }
}

//! Errors that ask a client to go elsewhere or to come again.

use crate::wire::socket::Address;

/// What an error reply asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// The slot lives there now.
    Moved(u16, Address),
    /// This one command belongs there, behind an ASKING.
    Ask(Address),
    /// The same command again, later.
    TryAgain,
}

impl Redirect {
    /// Reads the error's text; `asked_host` stands in for a host that is left empty.
    pub fn parse(error: &str, asked_host: &str) -> Option<Self> {
        let mut words = error.split(' ');
        let kind = words.next()?;
        if kind == "TRYAGAIN" {
            return Some(Self::TryAgain);
        }
        if kind != "MOVED" && kind != "ASK" {
            return None;
        }
        let slot = words.next()?.parse().ok()?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        let host = if host.is_empty() { asked_host } else { host };
        let address = Address::Tcp(host.to_owned(), port.parse().ok()?);
        Some(if kind == "MOVED" { Self::Moved(slot, address) } else { Self::Ask(address) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_parse() {
        let tcp = |host: &str, port| Address::Tcp(host.to_owned(), port);
        let cases = [
            ("MOVED 3999 127.0.0.1:6381", Some(Redirect::Moved(3999, tcp("127.0.0.1", 6381)))),
            ("MOVED 1 ::1:6381", Some(Redirect::Moved(1, tcp("::1", 6381)))),
            ("ASK 3999 :6381", Some(Redirect::Ask(tcp("asked", 6381)))),
            ("TRYAGAIN Multiple keys", Some(Redirect::TryAgain)),
            ("MOVED", None),
            ("MOVED x 127.0.0.1:1", None),
            ("ERR unknown command", None),
        ];
        for (error, wanted) in cases {
            assert_eq!(Redirect::parse(error, "asked"), wanted, "{error}");
        }
    }
}

//! The address at which a client knows this process: the one it is told in redirections.

use crate::core::Core;
use crate::session::Session;

/// `cluster-announce-ip` if it is set, else the address that the client connected to. A client on the Unix socket is on
/// this machine.
pub fn reached<'a>(core: &'a Core, session: &'a Session) -> &'a str {
    if !core.config.cluster_announce_ip.is_empty() {
        return &core.config.cluster_announce_ip;
    }
    if session.is_unix {
        return "127.0.0.1";
    }
    let host = session.local.rsplit_once(':').map_or("", |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::{Bench, check};

    #[test]
    fn addresses() {
        let bench = Bench::default();
        for (local, is_unix, expected) in [
            ("10.0.0.1:6379", false, "10.0.0.1"),
            ("[::1]:6379", false, "::1"),
            ("/run/w.sock:0", true, "127.0.0.1"),
        ] {
            let session = Session { local: local.to_owned(), is_unix, ..Session::default() };
            assert_eq!(reached(&bench.core, &session), expected);
        }
    }

    #[test]
    fn an_announced_address_goes_before() {
        check(
            "
            @cores 2
            @config cluster-announce-ip 192.0.2.7
            CLUSTER NODES -> $... 192.0.2.7:7000@0 myself,master ...
            GET foo -> ...
            ",
        );
    }
}

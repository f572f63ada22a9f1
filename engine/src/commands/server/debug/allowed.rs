//! Who may use DEBUG: nobody, clients of this machine, or everybody (`enable-debug-command`).

use std::net::SocketAddr;

use crate::commands::CommandError;
use crate::config::DebugCommand;
use crate::session::Session;

const NOT_ALLOWED: CommandError = CommandError::Static(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local \
     connection, otherwise you need to set this option in the configuration file, and then restart the server.",
);

/// Whether this client may.
pub fn check(allowed: DebugCommand, session: &Session) -> Result<(), CommandError> {
    let is_allowed = match allowed {
        DebugCommand::No => false,
        DebugCommand::Yes => true,
        DebugCommand::Local => session.is_unix || is_loopback(&session.peer),
    };
    if is_allowed { Ok(()) } else { Err(NOT_ALLOWED) }
}

fn is_loopback(peer: &str) -> bool {
    peer.parse::<SocketAddr>().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::testing::{Bench, check};

    /// A bench on which DEBUG is allowed.
    pub fn bench() -> Bench {
        let mut bench = Bench::default();
        bench.core.config.enable_debug_command = DebugCommand::Yes;
        bench
    }

    #[test]
    fn nobody_may_unless_told_so() {
        check(
            "
            DEBUG SLEEP 0 -> -ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", ...
            DEBUG HELP -> -ERR DEBUG command not allowed. ...
            DEBUG nosuch -> -ERR DEBUG command not allowed. ...
            ",
        );
    }

    #[test]
    fn local_clients() {
        for (peer, is_unix, expected) in [
            ("127.0.0.1:5", false, true),
            ("[::1]:5", false, true),
            ("10.0.0.1:5", false, false),
            ("[2001:db8::1]:5", false, false),
            ("/run/whimbrel.sock:0", true, true),
            ("/run/whimbrel.sock:0", false, false),
        ] {
            let session = Session { peer: peer.to_owned(), is_unix, ..Session::default() };
            assert_eq!(check_ok(DebugCommand::Local, &session), expected, "{peer}");
            assert!(check_ok(DebugCommand::Yes, &session) && !check_ok(DebugCommand::No, &session));
        }
    }

    fn check_ok(allowed: DebugCommand, session: &Session) -> bool {
        super::check(allowed, session).is_ok()
    }
}

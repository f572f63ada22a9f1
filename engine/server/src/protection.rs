//! Who may connect while there is no password: this machine alone, unless `protected-mode` is plainly `no`.
//!
//! Two rules. At the start, Whimbrel does not listen beyond loopback without a password at all (Redis does, and refuses
//! the clients). While it runs, a password that is taken away has the effect that it has in Redis: clients from other
//! machines are refused with `-DENIED`.

use std::net::{IpAddr, SocketAddr};
use whimbrel_engine::config::Config;

/// What a client from another machine is told before its connection is closed.
pub const DENIED: &str = "-DENIED Whimbrel is running in protected mode because protected mode is enabled and no \
    password is set. In this mode connections are only accepted from the loopback interface. If you want to connect \
    from other machines, do one of these: 1) Set a password with 'CONFIG SET requirepass', or 'requirepass' in the \
    configuration file. 2) If nobody but you reaches the network, disable protected mode with 'CONFIG SET \
    protected-mode no' from this machine, or with '--protected-mode no' at the start.\r\n";

/// Whether a client at `peer` may connect now.
pub fn admits(config: &Config, peer: IpAddr) -> bool {
    !config.protected_mode || !config.requirepass.is_empty() || is_loopback(peer)
}

/// Whether it may be listened on `addresses`. `Ok` may hold a warning.
pub fn check(config: &Config, addresses: &[SocketAddr]) -> Result<Option<String>, String> {
    let Some(beyond) = addresses.iter().find(|address| !is_loopback(address.ip())) else { return Ok(None) };
    if !config.requirepass.is_empty() {
        return Ok(None);
    }
    if config.protected_mode {
        return Err(format!(
            "{beyond} can be reached from other machines, and there is no password.\n    Set one with `requirepass`, \
             or bind to 127.0.0.1, or say `protected-mode no` if the network itself keeps strangers out."
        ));
    }
    Ok(Some(format!("{beyond} can be reached from other machines without a password: protected-mode is off")))
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(password: &str, protected: bool) -> Config {
        let mut config = Config { protected_mode: protected, ..Config::default() };
        config.set(&[(b"requirepass", password.as_bytes())]).unwrap();
        config
    }

    #[test]
    fn strangers_need_a_password_or_a_plain_no() {
        let cases = [
            ("127.0.0.1:1", "", true, "yes"),
            ("127.9.9.9:1", "", true, "yes"),
            ("[::1]:1", "", true, "yes"),
            ("[::ffff:127.0.0.1]:1", "", true, "yes"),
            ("0.0.0.0:1", "", true, "no"),
            ("[::]:1", "", true, "no"),
            ("10.0.0.1:1", "", true, "no"),
            ("10.0.0.1:1", "x", true, "yes"),
            ("10.0.0.1:1", "x", false, "yes"),
            ("10.0.0.1:1", "", false, "warning"),
        ];
        for (address, password, protected, expected) in cases {
            let (config, address): (_, SocketAddr) = (config(password, protected), address.parse().unwrap());
            let answer = match check(&config, &[address]) {
                Ok(None) => "yes",
                Ok(Some(_)) => "warning",
                Err(_) => "no",
            };
            assert_eq!(answer, expected, "{address} {password:?} {protected}");
            assert_eq!(admits(&config, address.ip()), expected != "no");
        }
    }

    #[test]
    fn the_refusal_is_one_line() {
        assert!(DENIED.starts_with("-DENIED ") && DENIED.find("\r\n") == Some(DENIED.len() - 2));
    }
}

//! Opening the listeners of a plan, and giving each core its own.

use crate::plan::{Address, Plan};
use std::time::Duration;
use whimbrel_engine::config::Config;
use whimbrel_net::{ListenError, Listener, TcpOptions, listen_shared, listen_tcp, listen_unix};

/// Every listener of every core: core k's at place k. On the shared addresses each core has one; a connection goes to
/// the core whose CPU received it. The Unix socket is core 0's.
#[derive(Debug)]
pub struct Listeners {
    /// By core.
    pub cores: Vec<Vec<Listener>>,
    /// What the machine did without (addresses of `bind` that begin with `-`).
    pub missing: Vec<String>,
}

/// Opens them all, or none. The error says what stands in the way.
pub fn open(config: &Config, plan: &Plan) -> Result<Listeners, String> {
    let options = TcpOptions {
        backlog: config.tcp_backlog,
        keepalive: (config.tcp_keepalive > 0).then(|| Duration::from_secs(config.tcp_keepalive.into())),
    };
    let cpus: Vec<usize> = plan.cores.iter().map(|core| core.cpu).collect();
    let mut cores: Vec<Vec<Listener>> = plan.cores.iter().map(|_| Vec::new()).collect();
    let mut missing = Vec::new();
    for address in &plan.shared {
        let opened = listen_shared(address.socket, &options, &cpus);
        let opened = unless_missing(*address, opened, &mut missing)?.unwrap_or_default();
        cores.iter_mut().zip(opened).for_each(|(core, listener)| core.push(listener));
    }
    for (core, listeners) in plan.cores.iter().zip(&mut cores) {
        for address in &core.own {
            let opened = listen_tcp(address.socket, &options);
            listeners.extend(unless_missing(*address, opened, &mut missing)?);
        }
    }
    if let Some(unix) = &plan.unix {
        let listener =
            listen_unix(&unix.path, unix.mode, config.tcp_backlog).map_err(|error| error.to_string())?;
        cores[0].push(listener);
    }
    if cores.iter().all(Vec::is_empty) {
        return Err("this machine has none of the addresses in `bind`.\n    Give one that it has.".to_owned());
    }
    Ok(Listeners { cores, missing })
}

fn unless_missing<T>(
    address: Address,
    opened: Result<T, ListenError>,
    missing: &mut Vec<String>,
) -> Result<Option<T>, String> {
    match opened {
        Ok(listeners) => Ok(Some(listeners)),
        Err(ListenError::AddressNotAvailable(at)) if address.optional => {
            missing.push(format!("{at} is no address of this machine; not listening there"));
            Ok(None)
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn plan(bind: &str, port: u16, cluster: bool, base: u16) -> (Config, Plan) {
        let bind = bind.split(' ').map(str::to_owned).collect();
        let config =
            Config { bind, port, cluster_enabled: cluster, core_port_base: base, ..Config::default() };
        let plan = Plan::new(&config, &[0, 1]).unwrap();
        (config, plan)
    }

    #[test]
    fn every_core_gets_its_own() {
        let path = std::env::temp_dir().join(format!("whimbrel-listeners-{}", std::process::id()));
        let (mut config, _) = plan("127.0.0.1", 19_101, true, 19_110);
        config.unixsocket = path.to_str().unwrap().to_owned();
        let plan = Plan::new(&config, &[0, 1]).unwrap();
        let listeners = open(&config, &plan).unwrap();
        let ports: Vec<Vec<_>> =
            listeners.cores.iter().map(|core| core.iter().map(Listener::port).collect()).collect();
        assert_eq!(ports, [vec![Some(19_101), Some(19_110), None], vec![Some(19_101), Some(19_111)]]);
        for port in [19_101, 19_110, 19_111] {
            TcpStream::connect(("127.0.0.1", port)).unwrap();
        }
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        let error = open(&config, &plan).unwrap_err();
        assert!(error.contains("127.0.0.1:19101 is in use"), "{error}");
    }

    #[test]
    fn only_optional_addresses_may_be_missing() {
        let (config, with_optional) = plan("127.0.0.1 -192.0.2.1", 19_102, false, 7000);
        let listeners = open(&config, &with_optional).unwrap();
        assert_eq!((listeners.missing.len(), listeners.cores[1].len()), (1, 1));
        for bind in ["127.0.0.1 192.0.2.1", "-192.0.2.1"] {
            let (config, plan) = plan(bind, 19_103, false, 7000);
            assert!(open(&config, &plan).is_err(), "{bind}");
        }
    }
}

//! From the command line to everything that has to be known before a listener is opened.

use crate::cli::Options;
use crate::control::joining;
use crate::plan::Plan;
use crate::{checks, file, listeners, log, protection};
use std::net::SocketAddr;
use std::path::PathBuf;
use whimbrel_engine::config::Config;
use whimbrel_net::Listener;

/// All that the cores are started from.
#[derive(Debug)]
pub struct Setup {
    /// The configuration, within what the machine allows.
    pub config: Config,
    /// The file that CONFIG REWRITE replaces, as an absolute path.
    pub config_file: Option<PathBuf>,
    /// Cores and addresses.
    pub plan: Plan,
    /// Every core's open listeners, by core.
    pub listeners: Vec<Vec<Listener>>,
    /// The kernel's release.
    pub kernel: String,
}

/// The configuration: the command line goes before the file, the file before the defaults. The process is in `dir`
/// afterwards.
pub fn configure(options: &Options) -> Result<(Config, Option<PathBuf>), String> {
    let mut config = Config::default();
    let config_file = match &options.file {
        None => None,
        Some(path) => {
            file::load(&mut config, path)?;
            Some(std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?)
        }
    };
    options.apply(&mut config)?;
    joining::complete(&mut config)?;
    let entered = std::env::set_current_dir(&config.dir).and_then(|()| std::env::current_dir());
    match entered {
        Ok(dir) => config.dir = dir.to_string_lossy().into_owned(),
        Err(error) => {
            return Err(format!(
                "cannot enter `dir` {}: {error}\n    Create the directory, or give one that this user may enter.",
                config.dir
            ));
        }
    }
    Ok((config, config_file))
}

/// Checks the machine, opens the listeners, and says in the log what the operator should know. Nothing is accepted
/// before a core takes its listeners over.
pub fn prepare(
    mut config: Config,
    config_file: Option<PathBuf>,
    available: &[usize],
) -> Result<Setup, String> {
    let plan = Plan::new(&config, available)?;
    if !config.etcd.is_empty() {
        joining::host(&config, &plan)?;
    }
    let addresses: Vec<SocketAddr> = plan.addresses().map(|address| address.socket).collect();
    let exposed = protection::check(&config, &addresses)?;
    let count =
        plan.shared.len() * plan.cores.len() + plan.cores.iter().map(|core| core.own.len()).sum::<usize>();
    let findings = checks::check(&mut config, plan.cores.len(), count + usize::from(plan.unix.is_some()))?;
    let listeners = listeners::open(&config, &plan)?;
    exposed.into_iter().chain(findings.warnings).for_each(log::warning);
    listeners.missing.iter().for_each(log::notice);
    Ok(Setup { config, config_file, plan, listeners: listeners.cores, kernel: findings.kernel })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;
    use std::ffi::OsString;

    fn options(words: &[&str]) -> Options {
        match cli::read(words.iter().map(OsString::from)).unwrap() {
            cli::Request::Serve(options) => options,
            cli::Request::Cluster(_) => panic!("no server"),
        }
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let path = std::env::temp_dir().join(format!("whimbrel-start-{}", std::process::id()));
        std::fs::write(&path, "port 1\ntimeout 1\nclient-output-buffer-limit pubsub 1 1 1\n").unwrap();
        let file = path.to_str().unwrap();
        let (config, config_file) =
            configure(&options(&["whimbrel", "--timeout", "2", "--config", file])).unwrap();
        assert_eq!((config.port, config.timeout, config.maxclients), (1, 2, 10_000));
        assert_eq!(config_file.as_deref(), Some(path.as_path()));
        assert!(config.dir.starts_with('/'));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_listens() {
        let error = configure(&options(&["whimbrel", "--dir", "/nonexistent"])).unwrap_err();
        assert!(error.starts_with("cannot enter `dir` /nonexistent"), "{error}");
        let config = Config { bind: vec!["*".to_owned()], ..Config::default() };
        assert!(prepare(config.clone(), None, &[0]).unwrap_err().contains("there is no password"));
        let open = Config { protected_mode: false, port: 19_120, ..config };
        let setup = prepare(open, None, &[0]).unwrap();
        assert_eq!((setup.listeners.len(), setup.listeners[0].len()), (1, 1));
    }
}

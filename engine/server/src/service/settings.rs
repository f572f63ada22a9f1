//! Changed settings on a core, and CONFIG REWRITE, which the housekeeping thread carries out: it waits for the disk.

use std::path::Path;
use std::time::Duration;

use whimbrel_engine::config::Config;
use whimbrel_engine::shard::ShardLimits;
use whimbrel_net::{Io, Mailboxes};

use super::CoreService;
use super::connection::Connection;
use super::message::{Message, ReturnAddress, pack_reply};
use crate::{file, log};

impl CoreService {
    /// Brings shard, reactor and log in line with the settings.
    pub(super) fn apply_config(&mut self, io: &mut Io<Message>) {
        let config = &self.core.config;
        io.set_keepalive(
            (config.tcp_keepalive > 0).then(|| Duration::from_secs(config.tcp_keepalive.into())),
        );
        log::set_level(config.loglevel);
        let limits = ShardLimits::of(config, self.count as u16);
        self.core.shard.set_limits(limits);
    }

    /// Has the configuration file replaced; the outcome takes its place among the connection's replies.
    pub(super) fn rewrite_config(&mut self, connection: &mut Connection) {
        let ticket = connection.replies.promise(true);
        let to = ReturnAddress { connection: connection.id.as_u64(), ticket };
        let config = Box::new(self.core.config.clone());
        self.outbox.message(self.count, Message::RewriteConfig { to, config });
    }
}

/// What the housekeeping thread does when a core asks for something.
pub(super) fn answer(mailboxes: &mut Mailboxes<Message>, core: usize, message: Message, path: Option<&Path>) {
    let Message::RewriteConfig { to, config } = message else { return };
    let reply = rewrite(path, &config);
    let mut packed = Vec::new();
    pack_reply(&mut packed, to, reply.as_bytes());
    if mailboxes.send(core, Message::Replies(packed)).is_err() {
        log::warning("The outcome of CONFIG REWRITE found no room in a mailbox");
    }
    mailboxes.ring_doorbells();
}

fn rewrite(path: Option<&Path>, config: &Config) -> String {
    let Some(path) = path else {
        return "-ERR The server is running without a config file\r\n".to_owned();
    };
    match file::rewrite(path, config) {
        Ok(()) => {
            log::notice("CONFIG REWRITE executed with success.");
            "+OK\r\n".to_owned()
        }
        Err(error) => {
            log::warning(format_args!("CONFIG REWRITE failed: {error}"));
            format!("-ERR Rewriting config file: {}\r\n", error.to_string().replace(['\r', '\n'], " "))
        }
    }
}

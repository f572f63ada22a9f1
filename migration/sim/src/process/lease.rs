//! A process' registration: it serves only while the lease cannot have run out, whatever the store's clock does.

use super::{Process, Question};
use crate::clock::DRIFT_MAX_PPM;
use crate::env::Env;
use crate::event::Event;
use crate::store::{Ask, View};

impl Process {
    /// After how long the lease is to be kept alive again.
    pub(super) fn keep_after_us(&self, env: &Env) -> u64 {
        env.scenario.lease_us / 4
    }

    pub(super) fn register(&mut self, env: &mut Env) {
        let asked_us = self.local_us(env);
        let ask = Ask::Register { process: self.index, ttl_us: env.scenario.lease_us };
        self.ask(Question::Register { asked_us }, ask, env);
    }

    /// It is time to keep the lease alive, and to look what else there is: news may have been lost.
    pub fn keep(&mut self, env: &mut Env) {
        let asked_us = self.local_us(env);
        if let Some(created) = self.registration {
            let ask = Ask::Keep { process: self.index, created, ttl_us: env.scenario.lease_us };
            self.ask(Question::Keep { asked_us }, ask, env);
            self.ask(Question::LookAround, Ask::Read, env);
        }
        let keep_us = self.keep_after_us(env);
        env.agenda.after(keep_us, Event::Keep { process: self.index, life: self.life });
    }

    pub(super) fn registered(&mut self, asked_us: u64, created: u64, view: View, env: &mut Env) {
        self.registration = Some(created);
        self.first_registration.get_or_insert(created);
        env.tell_all(|| format!("process {} is registered as {created}", self.index));
        self.kept(asked_us, env);
        self.learn(view, env);
    }

    /// The lease runs at least from the moment at which it was asked for. By how much the clocks may differ is left out.
    pub(super) fn kept(&mut self, asked_us: u64, env: &mut Env) {
        let lease_us = env.scenario.lease_us;
        let margin_us = lease_us * 2 * DRIFT_MAX_PPM / 1_000_000 + 1_000;
        self.serve_until_us = self.serve_until_us.max(asked_us + lease_us - margin_us);
    }

    /// The lease has run out: somebody else may have what was this process'.
    pub(super) fn unregistered(&mut self, env: &mut Env) {
        env.tell_all(|| format!("process {} hears that its lease has run out", self.index));
        self.registration = None;
        self.serve_until_us = 0;
        self.register(env);
    }
}

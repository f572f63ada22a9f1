//! The thread that keeps this process registered, and knows until when it may serve.
//!
//! The store forgets a registration when its lease has run out, at the earliest the lease's length after the store has
//! heard the request that renewed it. So the process may serve for that length from the moment in which it *sent* the
//! request, less a margin for clocks that run apart and for what a core has begun by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use whimbrel_engine::topology::{MapNode, NodeId};

use super::gateway::{Gateway, GatewayError, Repeat};
use super::keys::Keys;
use super::outbox::Outbox;
use super::view::{Update, write_registration};
use super::wire::{self, Compare};
use crate::control::lease::{Lease, boottime_us};
use crate::log;

/// Of a lease's length, what is not served: one part in this many, and `MARGIN_LEAST` at least.
const MARGIN_PART: u32 = 10;
const MARGIN_LEAST: Duration = Duration::from_millis(300);
/// Renewals that are tried in a lease's length.
const RENEWALS: u32 = 4;
/// How long the thread waits before it tries to register again.
const REGISTER_EVERY: Duration = Duration::from_millis(500);

/// Keeps the process registered.
pub struct Keeper {
    pub gateway: Gateway,
    pub keys: Keys,
    pub process: NodeId,
    pub own: Vec<MapNode>,
    pub lease: Arc<Lease>,
    pub length: Duration,
    pub outbox: Outbox,
    /// Set when the registration is found to be gone although its lease runs.
    pub is_gone: Arc<AtomicBool>,
    pub stopping: Arc<AtomicBool>,
}

/// A lease in the store.
struct Granted {
    id: String,
    /// Its length, which the store may have made longer.
    length: Duration,
    /// When the request was sent that granted it or renewed it last.
    sent_us: u64,
}

impl Granted {
    fn serve_until_us(&self) -> u64 {
        let margin = (self.length / MARGIN_PART).max(MARGIN_LEAST);
        self.sent_us + self.length.saturating_sub(margin).as_micros() as u64
    }
}

/// What came of a renewal.
enum Renewed {
    Yes,
    /// The store does not know the lease any more.
    Lost,
    /// Nobody answered.
    Unheard(GatewayError),
}

impl Keeper {
    /// Registers, renews, and registers anew, until the process ends.
    pub fn run(mut self) {
        let mut complained = false;
        while !self.is_stopping() {
            match self.register() {
                Ok((granted, incarnation)) => {
                    complained = false;
                    log::notice(format_args!(
                        "Registered in the cluster's store (registration {incarnation})"
                    ));
                    self.keep(granted);
                    self.lease.end();
                }
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        log::warning(format_args!("Not registered in the cluster's store yet: {error}"));
                    }
                    std::thread::sleep(REGISTER_EVERY);
                }
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Registers under a lease of its own. The cores hear of the cluster as it is then before they may serve.
    fn register(&mut self) -> Result<(Granted, u64), GatewayError> {
        let granted = self.grant()?;
        let key = self.keys.registration(&self.process);
        let value = write_registration(&self.own);
        let compare = [Compare::Created(key.clone(), 0)];
        let put = wire::transaction(&compare, &key, &value, Some(&granted.id), &self.keys.prefix);
        let answer = self.gateway.post("/v3/kv/txn", &put, Repeat::IfUnsent)?;
        let transacted = wire::transacted(&answer).ok_or_else(unreadable)?;
        if !transacted.succeeded {
            // A registration of this process whose end, or whose making, it has not heard of: it begins anew.
            let delete = json!({"key": wire::base64(&key)});
            self.gateway.post("/v3/kv/deleterange", &delete, Repeat::Freely)?;
            return Err(GatewayError::Unknown("an earlier registration had to be taken away".to_owned()));
        }
        let incarnation = transacted.revision;
        if incarnation < self.lease.incarnation() {
            log::warning(
                "The cluster's store has lost what it knew: this process serves nothing until it is started again",
            );
        }
        self.is_gone.store(false, Ordering::Release);
        self.outbox.update(Update::All { revision: transacted.revision, pairs: transacted.pairs });
        self.lease.begin(incarnation, granted.serve_until_us());
        Ok((granted, incarnation))
    }

    fn grant(&mut self) -> Result<Granted, GatewayError> {
        let sent_us = boottime_us();
        let body = json!({"TTL": self.length.as_secs().to_string()});
        let answer = self.gateway.post("/v3/lease/grant", &body, Repeat::Freely)?;
        let id = answer["ID"].as_str().ok_or_else(unreadable)?.to_owned();
        let length = wire::number(&answer["TTL"]).ok_or_else(unreadable)?;
        Ok(Granted { id, length: Duration::from_secs(length), sent_us })
    }

    /// Renews the lease until it is lost.
    fn keep(&mut self, mut granted: Granted) {
        /// Between renewals while nobody answers.
        const RETRY_EVERY: Duration = Duration::from_millis(100);
        let mut unheard = false;
        while !self.is_stopping() {
            std::thread::sleep(if unheard { RETRY_EVERY } else { granted.length / RENEWALS });
            if self.is_gone.load(Ordering::Acquire) {
                log::warning("The registration in the cluster's store was taken away; registering anew");
                return;
            }
            match self.renew(&mut granted) {
                Renewed::Yes => {
                    self.lease.extend(granted.serve_until_us());
                    if std::mem::replace(&mut unheard, false) {
                        log::notice("The cluster's store answers again");
                    }
                }
                Renewed::Lost => {
                    self.lease.end();
                    log::warning("The registration in the cluster's store has run out; registering anew");
                    return;
                }
                Renewed::Unheard(error) => {
                    if !std::mem::replace(&mut unheard, true) {
                        log::warning(format_args!("The lease was not renewed: {error}"));
                    }
                }
            }
        }
    }

    fn renew(&mut self, granted: &mut Granted) -> Renewed {
        let sent_us = boottime_us();
        let body = json!({"ID": granted.id});
        match self.gateway.post("/v3/lease/keepalive", &body, Repeat::Freely) {
            Ok(answer) => match renewed_length(&answer) {
                Some(Duration::ZERO) => Renewed::Lost,
                Some(length) => {
                    (granted.length, granted.sent_us) = (length, sent_us);
                    Renewed::Yes
                }
                None => Renewed::Unheard(unreadable()),
            },
            Err(GatewayError::Refused(_)) => Renewed::Lost,
            Err(error) => Renewed::Unheard(error),
        }
    }
}

/// The length that a renewal has given the lease: zero if there is no such lease any more, `None` if the answer says
/// neither.
fn renewed_length(answer: &Value) -> Option<Duration> {
    let result = answer.get("result")?;
    result.get("ID")?;
    match result.get("TTL") {
        None => Some(Duration::ZERO),
        Some(length) => Some(Duration::from_secs(wire::number(length)?)),
    }
}

fn unreadable() -> GatewayError {
    GatewayError::Unknown("the answer is not of etcd's form".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_kept_before_the_lease_ends() {
        for (seconds, until_us) in [(2, 1_700_000), (10, 9_000_000), (60, 54_000_000), (0, 0)] {
            let granted = Granted { id: String::new(), length: Duration::from_secs(seconds), sent_us: 5 };
            assert_eq!(granted.serve_until_us(), 5 + until_us);
        }
    }

    #[test]
    fn answers_to_a_renewal() {
        let length = |answer: Value| renewed_length(&answer).map(|length| length.as_secs());
        assert_eq!(length(json!({"result": {"ID": "5", "TTL": "10"}})), Some(10));
        assert_eq!(length(json!({"result": {"ID": "5"}})), Some(0));
        assert_eq!(length(json!({"error": {"message": "m"}})), None);
    }
}

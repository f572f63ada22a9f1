//! The line of a client in CLIENT LIST and CLIENT INFO, with the fields of Redis 7.2 and Valkey.

use std::fmt::Write;

use super::client::{Closing, Session};
use crate::config::ClientClass;
use crate::core::Now;

/// The client's line, without a line break.
pub fn describe(session: &Session, now: Now) -> String {
    let traffic = &session.traffic;
    let memory = traffic.memory_bytes.max(size_of::<Session>());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = String::with_capacity(512);
    write!(
        line,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 \
         qbuf={} qbuf-free={} argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={} oll={} omem={} tot-mem={memory} events=r \
         cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={} tot-net-in={} tot-net-out={} tot-cmds={}",
        session.id.0,
        session.peer,
        session.local,
        traffic.descriptor,
        text(&session.name),
        session.age_s(now),
        session.idle_s(now),
        flags(session),
        traffic.query_bytes,
        traffic.query_free_bytes,
        traffic.output_bytes,
        traffic.output_pieces,
        traffic.output_bytes,
        session.last_command.unwrap_or("NULL"),
        session.protocol.version(),
        text(&session.lib_name),
        text(&session.lib_version),
        traffic.bytes_in,
        traffic.bytes_out,
        session.commands_processed,
    )
    .expect("writing to memory does not fail");
    line
}

/// The letters that say what kind of client it is.
pub(super) fn flags(session: &Session) -> String {
    let flags: String = [
        ('S', session.class == ClientClass::Replica),
        ('P', session.class == ClientClass::Pubsub),
        ('L', session.is_link),
        ('c', session.closing == Some(Closing::AfterReply)),
        ('A', session.closing == Some(Closing::Now)),
        ('U', session.is_unix),
        ('r', session.readonly),
        ('e', session.no_evict),
        ('T', session.no_touch),
    ]
    .into_iter()
    .filter_map(|(flag, is_set)| is_set.then_some(flag))
    .collect();
    if flags.is_empty() { "N".to_owned() } else { flags }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::ClientId;

    #[test]
    fn a_line_has_all_fields_in_order() {
        let at = |s: u64| Now { unix_ms: s * 1000, monotonic_us: s * 1_000_000 };
        let session = Session {
            id: ClientId(7),
            name: b"me".to_vec(),
            peer: "127.0.0.1:5000".to_owned(),
            local: "127.0.0.1:6379".to_owned(),
            created: at(10),
            active: at(15),
            no_evict: true,
            is_unix: true,
            last_command: Some("client|list"),
            ..Session::default()
        };
        let line = describe(&session, at(20));
        assert!(line.starts_with(
            "id=7 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=0 name=me age=10 idle=5 flags=Ue db=0 sub=0 "
        ));
        assert!(
            line.contains(
                " events=r cmd=client|list user=default redir=-1 resp=2 lib-name= lib-ver= tot-net"
            )
        );
        let names: Vec<_> = line.split(' ').map(|field| field.split('=').next().unwrap()).collect();
        let expected = "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem \
                        multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver \
                        tot-net-in tot-net-out tot-cmds";
        assert_eq!(names.join(" "), expected);
    }
}

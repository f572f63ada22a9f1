//! Names that stand in files written for Redis and Valkey, and what to do about them here.

/// What to do about a parameter that Whimbrel does not have, if it is one of Redis'.
pub fn remedy(name: &[u8]) -> Option<&'static str> {
    let row = REFUSED.iter().find(|(names, _)| {
        names.split(' ').any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => {
                name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
            }
            None => name.eq_ignore_ascii_case(pattern.as_bytes()),
        })
    });
    row.map(|(_, remedy)| *remedy)
}

/// Names separated by blanks (`*` at the end stands for any ending), and the remedy.
const REFUSED: &[(&str, &str)] = &[
    (
        "rename-command",
        "commands keep their names; leave it out, and keep clients out by requirepass and bind",
    ),
    (
        "io-threads io-threads-do-reads server-cpulist server_cpulist",
        "use `cores` to say on which CPUs to run",
    ),
    (
        "cluster-config-file cluster-node-timeout cluster-port cluster-migration-barrier cluster-replica-* \
         cluster-slave-* cluster-allow-* cluster-link-sendbuf-limit cluster-announce-*",
        "there is no gossip between nodes and no nodes.conf; leave it out",
    ),
    (
        "replicaof slaveof masteruser repl-* replica-* slave-* min-replicas-* min-slaves-*",
        "there is no replication yet; leave it out",
    ),
    ("tls-*", "there is no TLS yet; put a TLS proxy in front, and leave it out"),
    (
        "user aclfile acllog-max-len acl-pubsub-default",
        "there are no ACL users yet; use requirepass, and leave it out",
    ),
    ("loadmodule enable-module-command", "there are no modules; leave it out"),
    (
        "dbfilename rdb* aof* append* auto-aof-* no-appendfsync-on-rewrite stop-writes-on-bgsave-error \
         sanitize-dump-payload",
        "Whimbrel keeps no data on disk yet; leave it out",
    ),
    ("list-* set-max-* zset-* stream-* hll-*", "there is no such type yet; leave it out"),
    ("lua-time-limit busy-reply-threshold", "there are no scripts yet; leave it out"),
    (
        "pidfile supervised syslog-*",
        "leave that to systemd (Type=exec; its journal takes stderr), and leave it out",
    ),
    (
        "activedefrag active-defrag-* activerehashing jemalloc-bg-thread",
        "the arena bounds fragmentation by itself; leave it out",
    ),
    (
        "always-show-logo set-proc-title proc-title-template",
        "the banner and the process' name are always the same; leave it out",
    ),
    ("oom-score-adj oom-score-adj-values", "leave that to systemd (OOMScoreAdjust=), and leave it out"),
    ("disable-thp", "the arena asks the kernel for what it needs; leave it out"),
    ("dynamic-hz", "nothing runs by hz; leave it out"),
    ("enable-protected-configs", "no parameter is protected that can be set at run time; leave it out"),
    ("sentinel", "Whimbrel does not run as a sentinel; leave it out"),
];

#[cfg(test)]
mod tests {
    use super::super::table::parameter;
    use super::*;

    #[test]
    fn names_of_redis_have_a_remedy() {
        for name in
            ["rename-command", "IO-Threads", "repl-backlog-size", "tls-port", "zset-max-listpack-value"]
        {
            assert!(remedy(name.as_bytes()).is_some(), "{name}");
        }
        assert_eq!(remedy(b"prot"), None);
        assert_eq!(remedy(b"rep\xff"), None);
    }

    #[test]
    fn no_remedy_names_a_parameter_that_there_is() {
        for name in REFUSED.iter().flat_map(|(names, _)| names.split(' ')).filter(|name| !name.ends_with('*'))
        {
            assert!(parameter(name.as_bytes()).is_none(), "{name}");
        }
    }
}

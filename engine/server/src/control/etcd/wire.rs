//! What is said to etcd and what it says, in the JSON of its gateway: bytes in base64, 64-bit numbers as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The key.
    pub key: String,
    /// Its value; empty if the key was deleted.
    pub value: Vec<u8>,
    /// The revision in which the key came to be.
    pub create_revision: u64,
    /// The revision in which it was last changed, or deleted.
    pub mod_revision: u64,
}

/// What must hold for a transaction to go through.
#[derive(Clone, Debug)]
pub enum Compare {
    /// The key was last changed in this revision; 0: it does not exist.
    Changed(String, u64),
    /// The key came to be in this revision; 0: it does not exist.
    Created(String, u64),
}

/// What came of a transaction.
#[derive(Debug)]
pub struct Transacted {
    /// Whether everything held.
    pub succeeded: bool,
    /// The revision of the store, this transaction included.
    pub revision: u64,
    /// All keys of the cluster at that revision.
    pub pairs: Vec<KeyValue>,
}

/// Bytes as the gateway takes them.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes)
}

/// The first key behind all that begin with `prefix`.
pub fn prefix_end(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    // The prefix ends with `/`, so the last byte can be counted up.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// All keys of a prefix.
pub fn range(prefix: &str) -> Value {
    json!({"key": base64(prefix), "range_end": base64(prefix_end(prefix))})
}

/// If everything holds, puts the value; either way, reads all keys of the prefix.
pub fn transaction(
    compares: &[Compare],
    key: &str,
    value: &[u8],
    lease: Option<&str>,
    prefix: &str,
) -> Value {
    let compares: Vec<Value> = compares
        .iter()
        .map(|compare| match compare {
            Compare::Changed(key, revision) => {
                json!({"key": base64(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision.to_string()})
            }
            Compare::Created(key, revision) => {
                json!({"key": base64(key), "target": "CREATE", "result": "EQUAL", "create_revision": revision.to_string()})
            }
        })
        .collect();
    let mut put = json!({"key": base64(key), "value": base64(value)});
    if let Some(lease) = lease {
        put["lease"] = json!(lease);
    }
    json!({
        "compare": compares,
        "success": [{"request_put": put}, {"request_range": range(prefix)}],
        "failure": [{"request_range": range(prefix)}],
    })
}

/// Reads what came of a transaction.
pub fn transacted(answer: &Value) -> Option<Transacted> {
    let responses = answer["responses"].as_array()?;
    let range = responses.iter().find_map(|response| response.get("response_range"))?;
    Some(Transacted {
        succeeded: answer["succeeded"].as_bool().unwrap_or(false),
        revision: number(&answer["header"]["revision"])?,
        pairs: pairs(range)?,
    })
}

/// The keys of a range's answer.
pub fn pairs(range: &Value) -> Option<Vec<KeyValue>> {
    match range.get("kvs") {
        None => Some(Vec::new()),
        Some(pairs) => pairs.as_array()?.iter().map(pair).collect(),
    }
}

/// A key of a range or an event.
pub fn pair(value: &Value) -> Option<KeyValue> {
    let bytes = |name: &str| match value.get(name) {
        None => Some(Vec::new()),
        Some(text) => BASE64.decode(text.as_str()?).ok(),
    };
    Some(KeyValue {
        key: String::from_utf8(bytes("key")?).ok()?,
        value: bytes("value")?,
        create_revision: number_or_zero(value, "create_revision")?,
        mod_revision: number(&value["mod_revision"])?,
    })
}

fn number_or_zero(value: &Value, name: &str) -> Option<u64> {
    value.get(name).map_or(Some(0), number)
}

/// A 64-bit number, which stands as text.
pub fn number(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_transaction() {
        let answer = json!({"header": {"revision": "7"}, "succeeded": true, "responses": [
            {"response_put": {"header": {"revision": "7"}}},
            {"response_range": {"kvs": [
                {"key": "L2E=", "create_revision": "2", "mod_revision": "7", "version": "1", "value": "dg=="},
                {"key": "L2I=", "create_revision": "3", "mod_revision": "3"}]}}]});
        let transacted = transacted(&answer).unwrap();
        assert!(transacted.succeeded && transacted.revision == 7);
        let pair = |key: &str, value: &[u8], create_revision, mod_revision| KeyValue {
            key: key.to_owned(),
            value: value.to_vec(),
            create_revision,
            mod_revision,
        };
        assert_eq!(transacted.pairs, [pair("/a", b"v", 2, 7), pair("/b", b"", 3, 3)]);
    }

    #[test]
    fn an_answer_without_keys() {
        let answer = json!({"header": {"revision": "1"}, "responses": [{"response_range": {"header": {}}}]});
        let transacted = transacted(&answer).unwrap();
        assert!(!transacted.succeeded && transacted.pairs.is_empty());
        for wrong in
            [json!({}), json!({"responses": []}), json!({"responses": [{"response_range": {"kvs": 1}}]})]
        {
            assert!(super::transacted(&wrong).is_none());
        }
    }

    #[test]
    fn a_prefix_ends_before_its_neighbour() {
        assert_eq!(prefix_end("/a/"), b"/a0");
    }
}

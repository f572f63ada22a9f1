//! DEBUG PROTOCOL: one reply of each type that RESP2 and RESP3 have, for tests of clients.

use crate::commands::CommandError;
use crate::resp::{Arguments, Reply};

/// Writes a reply of the type that was asked for, the same as in Redis.
pub fn merge(reply: &mut Reply, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    match arguments.at(2).to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk("Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(3141.0 / 1000.0),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => {
            if reply.is_resp3() {
                reply.raw(b"|1\r\n");
                reply.bulk("key-popularity");
                reply.array(2);
                reply.bulk("key:123");
                reply.integer(90);
            }
            reply.bulk("Some real reply following the attribute");
        }
        b"push" if reply.is_resp3() => {
            reply.push(2);
            reply.bulk("server-cpu-usage");
            reply.integer(42);
            // A push is no answer; this is the one.
            reply.bulk("Some real reply following the push reply");
        }
        b"push" => {
            return Err(CommandError::Static("ERR RESP2 is not supported by this command"));
        }
        b"verbatim" => reply.verbatim("txt", "This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        _ => {
            return Err(CommandError::Static(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::allowed::tests::bench;

    #[test]
    fn every_type_can_be_asked_for() {
        bench().check(
            "
            DEBUG PROTOCOL string -> $11 Hello World
            DEBUG PROTOCOL integer -> :12345
            DEBUG PROTOCOL double -> $5 3.141
            DEBUG PROTOCOL null -> $-1
            DEBUG PROTOCOL SET -> *3 :0 :1 :2
            DEBUG PROTOCOL map -> *6 :0 :0 :1 :1 :2 :0
            DEBUG PROTOCOL true -> :1
            DEBUG PROTOCOL bignum -> $37 1234567999999999999999999999999999999
            DEBUG PROTOCOL push -> -ERR RESP2 is not supported by this command
            DEBUG PROTOCOL foo -> -ERR Wrong protocol type name. ...
            HELLO 3 -> %...
            DEBUG PROTOCOL double -> ,3.141
            DEBUG PROTOCOL null -> _
            DEBUG PROTOCOL array -> *3 :0 :1 :2
            DEBUG PROTOCOL set -> ~3 :0 :1 :2
            DEBUG PROTOCOL map -> %3 :0 #f :1 #t :2 #f
            DEBUG PROTOCOL false -> #f
            DEBUG PROTOCOL bignum -> (1234567999999999999999999999999999999
            DEBUG PROTOCOL attrib -> |1 $14 key-popularity *2 $7 key:123 :90 $39 Some real reply following the attribute
            DEBUG PROTOCOL push -> >2 $16 server-cpu-usage :42 $40 Some real reply following the push reply
            ",
        );
    }
}

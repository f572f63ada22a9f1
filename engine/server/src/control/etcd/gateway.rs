//! Requests to etcd by its JSON gateway, and which of several endpoints is asked.

use std::io::BufReader;
use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, Body, Error, Timeout};

/// The most bytes of one answer: a map and the registrations of a large cluster are far below it.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Why there is no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum GatewayError {
    /// The request has surely not been carried out: nobody took it.
    NotSent(String),
    /// Nobody can tell whether it was carried out.
    Unknown(String),
    /// etcd has refused it: it was not carried out, and never will be.
    Refused(String),
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(reason) => write!(f, "etcd cannot be reached: {reason}"),
            Self::Unknown(reason) => write!(f, "etcd has not answered: {reason}"),
            Self::Refused(reason) => write!(f, "etcd has refused: {reason}"),
        }
    }
}

/// What may be done when an endpoint does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// Ask the next one: carried out twice it does no harm.
    Freely,
    /// Ask the next one only if this one has surely not heard of it.
    IfUnsent,
}

/// etcd, as one thread reaches it.
pub struct Gateway {
    endpoints: Vec<String>,
    /// The endpoint that is asked first: the one that answered last.
    current: usize,
    agent: Agent,
    /// How long one endpoint has.
    timeout: Duration,
}

impl Gateway {
    /// Endpoints as `http://host:port`; at least one.
    pub fn new(endpoints: &[String], timeout: Duration) -> Gateway {
        assert!(!endpoints.is_empty(), "a store has an endpoint");
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_connect(Some(timeout))
            .build()
            .into();
        Gateway { endpoints: endpoints.to_vec(), current: 0, agent, timeout }
    }

    /// How many endpoints there are.
    pub fn endpoints(&self) -> usize {
        self.endpoints.len()
    }

    /// Sends a request, to each endpoint at most once.
    pub fn post(&mut self, path: &str, body: &Value, repeat: Repeat) -> Result<Value, GatewayError> {
        let mut last = None;
        for _ in 0..self.endpoints.len() {
            match self.post_once(path, body) {
                Ok(answer) => return Ok(answer),
                Err(error @ GatewayError::Refused(_)) => return Err(error),
                Err(error) => {
                    self.turn_away();
                    if repeat == Repeat::IfUnsent && matches!(error, GatewayError::Unknown(_)) {
                        return Err(error);
                    }
                    last = Some(error);
                }
            }
        }
        Err(last.expect("there is an endpoint"))
    }

    fn post_once(&self, path: &str, body: &Value) -> Result<Value, GatewayError> {
        let url = format!("{}{path}", self.endpoints[self.current]);
        let request = self.agent.post(&url).config().timeout_global(Some(self.timeout)).build();
        let mut response = request.send(&body.to_string()).map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let bytes = bytes.map_err(|error| GatewayError::Unknown(error.to_string()))?;
        let answer: Result<Value, _> = serde_json::from_slice(&bytes);
        match answer {
            Ok(answer) if status == 200 => Ok(answer),
            Ok(answer) => Err(refusal(&answer)),
            Err(error) => Err(GatewayError::Unknown(format!("status {status}, {error}"))),
        }
    }

    /// Opens a stream of answers, one a line, at one endpoint. It ends by an error when nothing comes for so long.
    pub fn stream(
        &mut self,
        path: &str,
        body: &Value,
        silence_max: Duration,
    ) -> Result<BufReader<impl std::io::Read + use<>>, GatewayError> {
        let url = format!("{}{path}", self.endpoints[self.current]);
        let request = self.agent.post(&url).config().timeout_per_read(Some(silence_max)).build();
        match request.send(&body.to_string()) {
            Ok(response) => Ok(BufReader::new(Body::into_reader(response.into_body()))),
            Err(error) => {
                self.turn_away();
                Err(fault(&error))
            }
        }
    }

    /// Asks another endpoint first from now on.
    pub fn turn_away(&mut self) {
        self.current = (self.current + 1) % self.endpoints.len();
    }
}

fn fault(error: &Error) -> GatewayError {
    let unsent = match error {
        Error::HostNotFound | Error::ConnectionFailed => true,
        Error::Timeout(phase) => matches!(phase, Timeout::Resolve | Timeout::Connect),
        Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        _ => false,
    };
    if unsent { GatewayError::NotSent(error.to_string()) } else { GatewayError::Unknown(error.to_string()) }
}

/// What etcd says when it does not carry a request out, by the code of its RPC.
fn refusal(answer: &Value) -> GatewayError {
    /// Invalid argument, not found, resource exhausted, failed precondition, out of range.
    const DEFINITE: [u64; 5] = [3, 5, 8, 9, 11];
    let text =
        answer["message"].as_str().or(answer["error"].as_str()).unwrap_or("an unknown reason").to_owned();
    match answer["code"].as_u64() {
        Some(code) if DEFINITE.contains(&code) => GatewayError::Refused(text),
        _ => GatewayError::Unknown(text),
    }
}

/// Checks an endpoint as an operator gives it. The error says what it should be.
pub fn check_endpoint(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    if text.starts_with("https://") {
        return Err(format!(
            "`etcd` names {text}, and there is no TLS to etcd yet.\n    Give an http:// endpoint, such as that of a local \
             proxy."
        ));
    }
    let address =
        text.strip_prefix("http://").filter(|address| !address.is_empty() && !address.contains('/'));
    let port =
        address.and_then(|address| address.rsplit_once(':')).map(|(host, port)| (host, port.parse::<u16>()));
    match port {
        Some((host, Ok(_))) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("`etcd` names {text:?}.\n    Give endpoints such as http://127.0.0.1:2379.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn endpoints_are_checked() {
        for (text, good) in [
            ("http://127.0.0.1:2379", true),
            ("http://etcd-1:2379/", true),
            ("http://[::1]:2379", true),
            ("https://a:1", false),
            ("a:1", false),
            ("http://a", false),
            ("http://:1", false),
            ("http://a:1/v3", false),
        ] {
            assert_eq!(check_endpoint(text).is_ok(), good, "{text}");
        }
        assert!(check_endpoint("https://a:1").unwrap_err().contains("no TLS"));
    }

    /// Answers one request with these bytes, and closes.
    fn endpoint(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        });
        format!("http://{address}")
    }

    fn closed() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}";

    #[test]
    fn another_endpoint_is_asked_when_that_does_no_harm() {
        let timeout = Duration::from_secs(10);
        let ask =
            |endpoints: &[String], repeat| Gateway::new(endpoints, timeout).post("/x", &json!({}), repeat);
        assert_eq!(ask(&[closed(), endpoint(GOOD)], Repeat::IfUnsent).unwrap()["a"], 1);
        assert!(matches!(ask(&[closed(), closed()], Repeat::Freely), Err(GatewayError::NotSent(_))));
        // The first one has heard the request, and said nothing of it.
        assert_eq!(ask(&[endpoint(""), endpoint(GOOD)], Repeat::Freely).unwrap()["a"], 1);
        let error = ask(&[endpoint(""), endpoint(GOOD)], Repeat::IfUnsent);
        assert!(matches!(error, Err(GatewayError::Unknown(_))), "{error:?}");
    }

    #[test]
    fn refusals_are_told_from_doubts() {
        for (code, definite) in [(5, true), (3, true), (14, false), (4, false), (2, false)] {
            let error = refusal(&json!({"code": code, "message": "m"}));
            assert_eq!(matches!(error, GatewayError::Refused(_)), definite, "{code}");
        }
    }
}

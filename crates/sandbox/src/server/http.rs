//! Just enough HTTP/1.1: one request a connection, whole bodies by `content-length`.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// The largest body that is read.
const LIMIT: usize = 1 << 20;

/// A request that came in.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// `GET` or `POST`.
    pub(super) method: String,
    /// The path with its query.
    pub(super) path: String,
    /// By names in lower case.
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Incoming {
    /// Reads one request; nothing if the other side closed without one.
    pub(super) fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(ToOwned::to_owned);
        let mut incoming = Self {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            ..Self::default()
        };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            incoming.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length: usize = incoming.header("content-length").parse().unwrap_or(0);
        incoming.body = vec![0; length.min(LIMIT)];
        reader.read_exact(&mut incoming.body)?;
        Ok(Some(incoming))
    }

    /// A header's value, or nothing's.
    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).cloned().unwrap_or_default()
    }

    /// The bearer token.
    pub(super) fn bearer(&self) -> Option<String> {
        self.headers.get("authorization")?.strip_prefix("Bearer ").map(ToOwned::to_owned)
    }

    /// The body as it came.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// An answer to send.
#[derive(Clone, Debug)]
pub(super) struct Response {
    /// The HTTP status.
    pub(super) status: u16,
    /// Headers beside type and length.
    pub(super) headers: Vec<(String, String)>,
    /// The `content-type`.
    pub(super) kind: &'static str,
    /// The body.
    pub(super) body: String,
}

impl Response {
    /// A JSON answer.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), kind: "application/json", body: body.to_string() }
    }

    /// A firewall's block page.
    pub(super) fn blocked() -> Self {
        let body = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Blocked</body></html>";
        Self { status: 403, headers: Vec::new(), kind: "text/html", body: body.to_owned() }
    }

    /// Sends the head and the first `bytes` of the body.
    pub(super) fn send(&self, mut stream: &TcpStream, bytes: usize) -> io::Result<()> {
        let mut text = format!(
            "HTTP/1.1 {} Fake\r\nconnection: close\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
            self.status,
            self.kind,
            self.body.len()
        );
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        let mut bytes_out = (text + "\r\n").into_bytes();
        bytes_out.extend(self.body.bytes().take(bytes));
        stream.write_all(&bytes_out)?;
        stream.flush()
    }
}

//! Requests of the fake `claude`. It knows no host but this machine.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(20);

/// Status and body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body as JSON; null if it is not JSON.
    pub(crate) body: Value,
}

/// One request, with what identifies its sender.
pub(crate) struct Call<'a> {
    /// `GET` or `POST`.
    pub(crate) method: &'a str,
    /// The whole address.
    pub(crate) url: &'a str,
    /// The access token, where one is sent.
    pub(crate) bearer: Option<&'a str>,
    /// The `User-Agent`.
    pub(crate) agent: &'a str,
    /// The JSON body, where there is one.
    pub(crate) body: Option<&'a Value>,
}

impl Call<'_> {
    /// Sends the request and reads the whole answer.
    pub(crate) fn send(&self) -> io::Result<Answer> {
        let (address, path) = loopback(self.url)?;
        let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let body = self.body.map(Value::to_string).unwrap_or_default();
        let bearer = self.bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nuser-agent: {}\r\n\
             anthropic-beta: oauth-2025-04-20\r\n{bearer}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.method,
            self.agent,
            body.len(),
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is not whole"))
    }
}

/// Address and path of a loopback http address; everything else is refused.
fn loopback(url: &str) -> io::Result<(SocketAddr, &str)> {
    let refused = || io::Error::new(io::ErrorKind::InvalidInput, "the sandbox speaks to 127.0.0.1 alone");
    let rest = url.strip_prefix("http://").ok_or_else(refused)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let address: SocketAddr = authority.replace("localhost", "127.0.0.1").parse().map_err(|_| refused())?;
    if !address.ip().is_loopback() {
        return Err(refused());
    }
    Ok((address, if path.is_empty() { "/" } else { path }))
}

/// The answer in `bytes`; nothing if it breaks off.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..split]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok();
    let length = head.lines().find_map(header)?;
    let body = bytes.get(split + 4..split + 4 + length)?;
    Some(Answer { status, body: serde_json::from_slice(body).unwrap_or(Value::Null) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_but_this_machine() {
        for (url, allowed) in [
            ("http://127.0.0.1:8080/v1", true),
            ("http://localhost:8080", true),
            ("http://[::1]:80/", true),
            ("https://127.0.0.1:8080/v1", false),
            ("http://example.com:80/", false),
            ("http://127.0.0.1:80@example.com/", false),
            ("http://10.0.0.1:80/", false),
        ] {
            assert_eq!(loopback(url).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn a_cut_answer_is_none() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(whole).expect("whole").status, 200);
        assert!(parse(&whole[..whole.len() - 1]).is_none());
        assert!(parse(b"").is_none());
    }
}

//! HTTP/1.1 over one connection, byte by byte, so that it can go wrong at any.

use std::io::{self, BufWriter, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::answer::{Answer, Delivery, End, reason};
use crate::fault::Endless;
use crate::log::{Host, Request};
use crate::stop::Stop;

/// More than any client of ours sends.
const HEAD_LIMIT: usize = 64 * 1024;

/// Head and body go out together: 8 kB at a time, as io::copy has it, wakes the client
/// eleven times for a page of a list (75 kB).
pub(crate) const AT_ONCE: usize = 128 * 1024;

/// Reads the next request of a connection that is kept alive; `None` when the
/// client has closed it.
pub(crate) fn read_request(
    mut stream: &TcpStream,
    pending: &mut Vec<u8>,
    host: Host,
) -> io::Result<Option<Request>> {
    loop {
        if let Some((request, head)) = parse(pending, host)? {
            let body: usize =
                request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            pending.drain(..head);
            while pending.len() < body {
                if !read_more(&mut stream, pending)? {
                    return Ok(None);
                }
            }
            pending.drain(..body);
            return Ok(Some(request));
        }
        if pending.len() > HEAD_LIMIT || !read_more(&mut stream, pending)? {
            return Ok(None);
        }
    }
}

fn read_more(stream: &mut &TcpStream, pending: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk)?;
    pending.extend_from_slice(&chunk[..count]);
    Ok(count > 0)
}

/// The request at the head of `bytes` and the length of its head, once it is whole.
fn parse(bytes: &[u8], host: Host) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(head) = status else {
        return Ok(None);
    };
    let mut request = Request::new(host, parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    request.headers = parsed
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_owned(), value)
        })
        .collect();
    Ok(Some((request, head)))
}

/// Sends an answer, or what a fault leaves of it. Says whether the connection can
/// serve another request.
pub(crate) fn send(
    out: &mut BufWriter<&TcpStream>,
    request: &Request,
    mut answer: Answer,
    stop: &Stop,
) -> io::Result<bool> {
    let body_wanted = request.method != "HEAD";
    let length = if body_wanted { answer.body.length } else { 0 };
    let keep = !request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
        && matches!(answer.delivery, Delivery::Whole | Delivery::Drip(_));

    match answer.delivery {
        Delivery::Nothing(end) => return finish(out.get_ref(), end, stop),
        Delivery::Endless(what, pause) => return endless(out, &mut answer, what, pause, stop),
        _ => {}
    }
    out.write_all(head(&answer, keep).as_bytes())?;
    let body = &mut answer.body.bytes;
    match answer.delivery {
        Delivery::Whole | Delivery::Nothing(_) | Delivery::Endless(..) => copy(body, length, out)?,
        Delivery::Drip(pause) => drip(body, length, out, pause, stop)?,
        Delivery::Cut(after, end) => {
            copy(body, after.min(length), out)?;
            out.flush()?;
            return finish(out.get_ref(), end, stop);
        }
        Delivery::Beyond(more) => {
            copy(body, length, out)?;
            copy(&mut io::repeat(b'+'), more, out)?;
        }
        Delivery::Unannounced(bytes) => copy(body, bytes.min(length), out)?,
    }
    out.flush()?;
    Ok(keep)
}

fn head(answer: &Answer, keep: bool) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if matches!(answer.delivery, Delivery::Endless(..)) {
        head.push_str("Transfer-Encoding: chunked\r\n");
    } else if !matches!(answer.delivery, Delivery::Unannounced(_)) {
        head.push_str(&format!("Content-Length: {}\r\n", answer.body.length));
    }
    if !keep {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    head
}

/// Exactly `length` bytes; a body that has fewer ends the connection, as it would
/// on a real server.
fn copy(body: &mut dyn Read, length: u64, out: &mut impl Write) -> io::Result<()> {
    let sent = io::copy(&mut body.take(length), out)?;
    if sent < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn drip(
    body: &mut dyn Read,
    length: u64,
    out: &mut impl Write,
    pause: Duration,
    stop: &Stop,
) -> io::Result<()> {
    out.flush()?;
    for _ in 0..length {
        if stop.wait(Some(pause)) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        copy(body, 1, out)?;
        out.flush()?;
    }
    Ok(())
}

/// Everything up to what has no end, and then that, until nobody reads it any more.
fn endless(
    out: &mut BufWriter<&TcpStream>,
    answer: &mut Answer,
    what: Endless,
    pause: Duration,
    stop: &Stop,
) -> io::Result<bool> {
    let head = head(answer, false);
    let length = answer.body.length;
    let more: &[u8] = match what {
        Endless::Head => {
            out.write_all(head.trim_end().as_bytes())?;
            b"\r\nX-More: yes"
        }
        Endless::ChunkExtension => {
            out.write_all(format!("{head}{length:x};more=").as_bytes())?;
            b"x"
        }
        Endless::Trailer => {
            out.write_all(format!("{head}{length:x}\r\n").as_bytes())?;
            copy(&mut answer.body.bytes, length, out)?;
            out.write_all(b"\r\n0\r\n")?;
            b"X-More: yes\r\n"
        }
    };
    out.flush()?;
    while !stop.wait(Some(pause)) {
        out.write_all(more)?;
        out.flush()?;
    }
    Ok(false)
}

fn finish(stream: &TcpStream, end: End, stop: &Stop) -> io::Result<bool> {
    match end {
        End::Close => {}
        // Lingering for no time makes the kernel send a reset in place of a FIN.
        End::Reset => rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?,
        End::Stall => {
            stop.wait(None);
        }
    }
    Ok(false)
}

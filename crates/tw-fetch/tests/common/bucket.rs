//! A bucket on loopback: objects over http, with the headers they are given.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// An object: its path, the lines of its headers, its bytes.
pub type Object = (String, Vec<String>, Vec<u8>);

/// Serves these until the test ends; gives the address that the paths follow.
pub fn serve(objects: Vec<Object>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let objects = Arc::new(objects);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let objects = Arc::clone(&objects);
            thread::spawn(move || answer(&stream, &objects));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, objects: &[Object]) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let _ = lines.find(String::is_empty);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let _ = match objects.iter().find(|(name, ..)| name == path) {
        Some((_, headers, bytes)) => {
            let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
            let length = bytes.len();
            let head =
                format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes))
        }
        None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    };
}

//! A server that has one small file, for commands that fetch.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

pub(crate) struct Server {
    /// `http://127.0.0.1:port`
    pub(crate) address: String,
}

impl Server {
    /// Serves until the test ends. Builds reach it, as they use the network of the host.
    pub(crate) fn start() -> Self {
        // Where it can be had, the same port each time lets the engine's cache be used.
        let listener =
            TcpListener::bind("127.0.0.1:18473").or_else(|_| TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream));
            }
        });
        Self { address }
    }
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head = lines.next().and_then(Result::ok).unwrap_or_default();
    while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
    let body = if head.starts_with("HEAD") { "" } else { "hello\n" };
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n{body}");
}

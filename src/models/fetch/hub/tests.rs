//! A hub of our own on the loopback interface.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Hub;
use crate::models::source::HubFile;

const LENGTH: usize = 300_000;

fn data() -> Vec<u8> {
    (0..LENGTH).map(|i| (i * 7 % 251) as u8).collect()
}

/// Answers as the hub does; the first `breaks` downloads end in the middle.
fn answer(mut client: TcpStream, breaks: &AtomicUsize, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    loop {
        let (mut path, mut from, mut to) = (String::new(), 0, LENGTH - 1);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
            if let Some(rest) = line.strip_prefix("GET ") {
                path = rest.split(' ').next().unwrap().to_owned();
            }
            if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
                let (a, b) = range.trim().split_once('-').unwrap();
                from = a.parse().unwrap();
                to = b.parse().unwrap_or(to);
            }
            line.clear();
        }
        if path.is_empty() {
            return;
        }
        asked.lock().unwrap().push(format!("{path} {from}"));
        if !path.ends_with("/file.bin") {
            let _ = client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            continue;
        }
        let body = &data()[from..=to];
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{to}/{LENGTH}\r\nETag: \"abc\"\r\nx-repo-commit: c0ffee\r\n\r\n",
            body.len()
        );
        client.write_all(head.as_bytes()).unwrap();
        let whole = to != LENGTH - 1
            || breaks
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_err();
        if !whole {
            let _ = client.write_all(&body[..body.len() / 2]);
            return;
        }
        let _ = client.write_all(body);
    }
}

fn hub(breaks: usize) -> (Hub, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (breaks, log) = (Arc::new(AtomicUsize::new(breaks)), asked.clone());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (breaks, log) = (breaks.clone(), log.clone());
            thread::spawn(move || answer(client, &breaks, &log));
        }
    });
    (Hub { endpoint: Some(endpoint), ..Hub::default() }, asked)
}

fn file(path: &str) -> HubFile {
    HubFile { repo: "some/where".into(), revision: "main".into(), path: path.into() }
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let (hub, asked) = hub(1);
    let work = tempfile::tempdir().unwrap();
    let seen = Mutex::new((0, None));
    let got = hub
        .fetch(&file("file.bin"), work.path(), &|at, total| *seen.lock().unwrap() = (at, total))
        .unwrap();
    assert_eq!(std::fs::read(got).unwrap(), data());
    assert_eq!(seen.into_inner().unwrap(), (LENGTH as u64, Some(LENGTH as u64)));
    let asked = asked.lock().unwrap();
    let resumed = asked.iter().any(|a| !a.ends_with(" 0"));
    assert!(resumed, "never asked for a rest: {asked:?}");
}

#[test]
fn a_missing_file_is_not_a_missing_hub() {
    let (hub, _asked) = hub(0);
    let work = tempfile::tempdir().unwrap();
    let error = hub.fetch(&file("nothing"), work.path(), &|_, _| {}).unwrap_err();
    assert!(error.0.contains("404") && !error.0.contains("cannot be reached"), "{error}");
    assert!(hub.fetch(&file("file.bin"), work.path(), &|_, _| {}).is_ok());
}

#[test]
fn a_hub_that_cannot_be_reached_is_asked_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let hub = Hub { endpoint: Some(endpoint), ..Hub::default() };
    let work = tempfile::tempdir().unwrap();
    let first = hub.fetch(&file("file.bin"), work.path(), &|_, _| {}).unwrap_err();
    assert!(first.0.contains("the hub cannot be reached"), "{first}");
    assert!(hub.unreachable.lock().unwrap().is_some());
    assert_eq!(hub.fetch(&file("file.bin"), work.path(), &|_, _| {}).unwrap_err(), first);
}

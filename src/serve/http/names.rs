//! Who may ask where no token is needed: whoever names this machine as it is really named, and no web
//! page of another host.
//!
//! A browser tells truly which page asks and which host it was told to ask. A stranger's page may have its
//! own name point to this machine (DNS rebinding): then both are the same, and neither is ours. So the
//! host must be a name that only this machine has: `localhost`, a number, or one of the settings'.

use axum::http::{HeaderMap, header};

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stranger {
    /// A page of another host asks.
    Page,
    /// It asks for a host that is not known here.
    Host(String),
}

impl std::fmt::Display for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Page => f.write_str("a web page of another host may not use this server"),
            Self::Host(host) => write!(
                f,
                "this server is not known as {host:?}: ask for localhost or a number, add the name to serve.host_names, or set serve.tokens"
            ),
        }
    }
}

/// Looks at who asks; `names` are those of the settings. Whoever tells no host is no browser.
pub(super) fn look(headers: &HeaderMap, names: &[String]) -> Result<(), Stranger> {
    let Some(host) = headers.get(header::HOST) else {
        return match headers.contains_key(header::ORIGIN) {
            true => Err(Stranger::Page),
            false => Ok(()),
        };
    };
    let shown = || String::from_utf8_lossy(host.as_bytes()).chars().take(80).collect();
    let Ok(host) = host.to_str() else { return Err(Stranger::Host(shown())) };
    let name = without_port(host);
    let known = name.is_empty()
        || is_loopback_name(name)
        || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
        || names.iter().any(|own| own.eq_ignore_ascii_case(name));
    if !known {
        return Err(Stranger::Host(shown()));
    }
    match headers.get(header::ORIGIN) {
        None => Ok(()),
        Some(origin) => {
            let from = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            match from.is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)) {
                true => Ok(()),
                false => Err(Stranger::Page),
            }
        }
    }
}

/// The host of `host:port`, `[::1]:port` or a host alone.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Names that no resolver may give to another machine (RFC 6761).
fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_stay_out() {
        let host = |host: &str| Err(Stranger::Host(host.to_owned()));
        for (host_header, origin, want) in [
            // No browser: it tells no origin, and perhaps not even a host.
            (None, None, Ok(())),
            (Some("localhost:8765"), None, Ok(())),
            (Some("LOCALHOST.:1"), None, Ok(())),
            (Some("a.localhost"), None, Ok(())),
            (Some("127.0.0.1"), None, Ok(())),
            (Some("127.0.0.2:9999"), None, Ok(())),
            (Some("[::1]:8765"), None, Ok(())),
            (Some("::1"), None, Ok(())),
            (Some(""), None, Ok(())),
            (Some("hearken.example:8765"), None, Ok(())),
            // The page that comes from here.
            (Some("localhost:8765"), Some("http://localhost:8765"), Ok(())),
            (Some("hearken.example"), Some("https://hearken.example"), Ok(())),
            // Pages from elsewhere.
            (Some("localhost:8765"), Some("http://evil.example"), Err(Stranger::Page)),
            (Some("localhost:8765"), Some("http://localhost:1"), Err(Stranger::Page)),
            (Some("localhost:8765"), Some("null"), Err(Stranger::Page)),
            (None, Some("http://evil.example"), Err(Stranger::Page)),
            // A page from elsewhere whose name points here.
            (Some("evil.example"), Some("http://evil.example"), host("evil.example")),
            (Some("evil.example:8765"), None, host("evil.example:8765")),
            (Some("localhost.evil.example"), None, host("localhost.evil.example")),
            (Some("127.0.0.1.evil.example"), None, host("127.0.0.1.evil.example")),
            (Some("evil.example:80:80"), None, host("evil.example:80:80")),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host_header {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            let got = look(&headers, &["Hearken.example".into()]);
            assert_eq!(got, want, "{host_header:?} {origin:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, axum::http::HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(matches!(look(&headers, &[]), Err(Stranger::Host(_))));
    }
}

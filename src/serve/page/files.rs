//! The files of the page. There is no build step: what is in `web/` is what the browser gets.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::super::House;
use super::super::http::ApiError;

/// A file, and where it is found.
pub(super) struct File {
    pub(super) paths: &'static [&'static str],
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $kind:literal, $($path:literal),+) => {
        File {
            paths: &[$($path),+],
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../../web/", $name)),
        }
    };
}

const HTML: &str = "text/html; charset=utf-8";

/// All of them.
pub(super) const FILES: &[File] = &[
    file!("index.html", "text/html; charset=utf-8", "/", "/index.html"),
    file!("captions.html", "text/html; charset=utf-8", "/captions", "/captions.html"),
    file!("health.html", "text/html; charset=utf-8", "/health", "/health.html"),
    file!("style.css", "text/css; charset=utf-8", "/style.css"),
    file!("icon.svg", "image/svg+xml", "/icon.svg", "/favicon.ico"),
    file!("worklet.js", "text/javascript; charset=utf-8", "/worklet.js"),
    file!("net.js", "text/javascript; charset=utf-8", "/net.js"),
    file!("words.js", "text/javascript; charset=utf-8", "/words.js"),
    file!("sound.js", "text/javascript; charset=utf-8", "/sound.js"),
    file!("talk.js", "text/javascript; charset=utf-8", "/talk.js"),
    file!("home.js", "text/javascript; charset=utf-8", "/home.js"),
    file!("turns.js", "text/javascript; charset=utf-8", "/turns.js"),
    file!("wrong.js", "text/javascript; charset=utf-8", "/wrong.js"),
    file!("main.js", "text/javascript; charset=utf-8", "/main.js"),
    file!("captions.js", "text/javascript; charset=utf-8", "/captions.js"),
    file!("health.js", "text/javascript; charset=utf-8", "/health.js"),
];

/// The languages of the page's texts. The files are written in the first, and so is who asks for none of them.
const LANGUAGES: [&str; 2] = ["en", "zh"];
/// Languages that a browser may ask for; the rest is not looked at.
const MOST_ASKED: usize = 32;
/// How a page says which language it is in; its script reads it there.
const TONGUE: &str = "<html lang=\"en\">";

/// Nothing from elsewhere, nothing in line, in no frame of anybody's.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Gives a file. A browser that has it already is told so.
pub(super) async fn file(State(house): State<Arc<House>>, request: Request) -> Response {
    let path = request.uri().path();
    let Some(at) = FILES.iter().position(|file| file.paths.contains(&path)) else {
        return ApiError::not_found("there is nothing at this path").into_response();
    };
    let file = &FILES[at];
    let (bytes, tag) = match house.config.web.as_os_str().is_empty() {
        true => (Bytes::from_static(file.bytes), tags()[at].clone()),
        // While somebody works on the page: only names of ours, so no path leads out of the folder.
        false => match read(&house.config.web, file.name).await {
            Ok(bytes) => {
                let tag = tag(&bytes);
                (bytes, tag)
            }
            Err(error) => {
                let path = house.config.web.join(file.name);
                let message = format!("serve.web: cannot read {}: {error}", path.display());
                return ApiError::internal(message).into_response();
            }
        },
    };
    let (bytes, tag) = match file.kind == HTML {
        true => in_language(bytes, tag, asked_language(request.headers())),
        false => (bytes, tag),
    };
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::ETAG, &tag);
    // Asked again each time, and answered with nothing while it is the same.
    put(header::CACHE_CONTROL, "no-cache");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "no-referrer");
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    if file.kind == HTML {
        put(header::VARY, "accept-language");
        put(header::X_FRAME_OPTIONS, "DENY");
        put(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        let allowed = "microphone=(self), camera=(), geolocation=()";
        put(header::HeaderName::from_static("permissions-policy"), allowed);
    }
    put(header::CONTENT_TYPE, file.kind);
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|own| own.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, bytes).into_response()
}

/// The language of ours that a browser likes best.
fn asked_language(headers: &HeaderMap) -> &'static str {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|own| own.to_str().ok());
    let known = |part: &str| {
        let mut pieces = part.split(';').map(str::trim);
        let base = pieces.next()?.split('-').next()?;
        let own = LANGUAGES.into_iter().find(|own| own.eq_ignore_ascii_case(base))?;
        let weight = pieces.find_map(|piece| piece.strip_prefix("q="));
        let weight: f32 = weight.map_or(Some(1.0), |weight| weight.trim().parse().ok())?;
        (weight > 0.0).then_some((own, weight))
    };
    let parts = asked.into_iter().flat_map(|asked| asked.split(',')).take(MOST_ASKED);
    let mut best = (LANGUAGES[0], 0.0);
    for (own, weight) in parts.filter_map(known) {
        // Of those that weigh the same the first one counts.
        if weight > best.1 {
            best = (own, weight);
        }
    }
    best.0
}

/// A page that says which language it is to be in. The browser keeps one for each.
fn in_language(bytes: Bytes, tag: String, language: &str) -> (Bytes, String) {
    match std::str::from_utf8(&bytes) {
        Ok(text) if language != LANGUAGES[0] => {
            let own = text.replacen(TONGUE, &TONGUE.replace(LANGUAGES[0], language), 1);
            let tag = format!("{}-{language}\"", tag.trim_end_matches('"'));
            (Bytes::from(own), tag)
        }
        _ => (bytes, tag),
    }
}

/// The largest file that is read while somebody works on the page, in bytes.
const LARGEST: u64 = 1 << 20;

async fn read(folder: &Path, name: &str) -> std::io::Result<Bytes> {
    let path = folder.join(name);
    let read = move || {
        if std::fs::metadata(&path)?.len() > LARGEST {
            return Err(std::io::Error::other(format!("it has more than {LARGEST} bytes")));
        }
        std::fs::read(path)
    };
    let done = tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)?;
    done.map(Bytes::from)
}

fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn tags() -> &'static [String] {
    static TAGS: OnceLock<Vec<String>> = OnceLock::new();
    TAGS.get_or_init(|| FILES.iter().map(|file| tag(file.bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes over the wire once for each page; scripts are cached by their tags.
    const BUDGET: usize = 300_000;

    #[test]
    fn the_page_is_in_the_language_that_is_liked_best() {
        for (asked, language) in [
            ("", "en"),
            ("de-DE, fr;q=0.9", "en"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("en-US,en;q=0.9,zh;q=0.8", "en"),
            ("de, en;q=0.3, ZH-Hant-TW; q=0.5", "zh"),
            ("zh;q=0, en;q=0.1", "en"),
            ("zh;q=high", "en"),
            ("zh;q=nan", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, asked.parse().unwrap());
            assert_eq!(asked_language(&headers), language, "{asked}");
        }
        let page = Bytes::from_static(b"<!doctype html>\n<html lang=\"en\">\n<p lang=\"en\">");
        let (own, tag) = in_language(page.clone(), "\"1\"".into(), "zh");
        assert_eq!(&own[..], b"<!doctype html>\n<html lang=\"zh\">\n<p lang=\"en\">");
        assert_eq!(tag, "\"1-zh\"");
        assert_eq!(in_language(page.clone(), "\"1\"".into(), "en"), (page, "\"1\"".into()));
    }

    #[test]
    fn the_page_is_small_whole_and_asks_nobody_else() {
        let all: usize = FILES.iter().map(|file| file.bytes.len()).sum();
        assert!(all < BUDGET, "{all} bytes");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let there = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        for name in there {
            let known = FILES.iter().any(|file| file.name == name.to_str().unwrap());
            assert!(known, "web/{} is not served", name.display());
        }
        for file in FILES {
            let text = std::str::from_utf8(file.bytes).unwrap();
            let own = text.replace("http://www.w3.org/2000/svg", "");
            for foreign in ["https://", "http://", "src=\"//", "@import", " style=\"", " onclick="]
            {
                assert!(!own.contains(foreign), "{} holds {foreign:?}", file.name);
            }
            if file.kind == HTML {
                assert_eq!(own.matches(TONGUE).count(), 1, "{}", file.name);
                let (all, apart) = ("<script", "<script type=\"module\" src=\"/");
                let outside = own.matches(all).count() == own.matches(apart).count();
                assert!(outside && !own.contains("<style"), "{} has code in line", file.name);
            }
        }
    }
}

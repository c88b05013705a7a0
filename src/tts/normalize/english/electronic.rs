//! E-mail addresses, hosts, files and paths. In a sentence a URL is spoken as its host: its scheme, path and query are
//! for machines. A text that is nothing but an address is spelled out, because whoever has that read wants all of it.

use super::super::Kind::Electronic;
use super::super::scan::{Found, Spec, Starts};
use super::number::digits;

pub(super) const RULES: &[Spec] = &[
    Spec(
        Electronic,
        Starts::Letter,
        r"(?i)(?:https?|ftp|wss?)://(?:www\.)?([A-Za-z0-9.-]{1,100})(?:[:/?#][!-~]{0,160})?",
        host,
    ),
    Spec(
        Electronic,
        Starts::Letter,
        r"(?i)www\.([A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,5})(?:[/?#][!-~]{0,160})?",
        host,
    ),
    Spec(Electronic, Starts::Letter, r"file://([!-~]{1,160})", file),
    Spec(
        Electronic,
        Starts::Any,
        r"([A-Za-z0-9][A-Za-z0-9._&+%-]{0,60})@([A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,30}){1,5})(?:/[!-~]{0,100})?",
        mail,
    ),
    Spec(
        Electronic,
        Starts::Any,
        r"[A-Za-z0-9-]{2,60}(?:\.[A-Za-z0-9-]{1,60}){0,4}\.[A-Za-z]{2,5}\b(?::([0-9]{2,5}))?(?:/[A-Za-z0-9._~/-]{1,100})?",
        name,
    ),
    Spec(Electronic, Starts::Letter, r"[A-Za-z]{2,30}(?: ?/ ?[A-Za-z]{2,30}){1,4}", either),
    Spec(Electronic, Starts::Symbol, r"(?:~|\.{0,2})(?:/[A-Za-z0-9._-]{1,40}){1,6}/?", path),
];

/// Endings that are said as words; the others are spelled.
const SAID: &[&str] = &[
    "com", "net", "org", "edu", "gov", "info", "biz", "app", "dev", "name", "local", "jpeg", "wav",
    "zip",
];
/// Endings that make a host or a file of any name before them.
const ENDINGS: &[&str] = &[
    "com", "net", "org", "edu", "gov", "info", "biz", "app", "dev", "local", "lan", "io", "ai",
    "tv", "me", "uk", "de", "it", "fr", "cn", "jp", "us", "eu", "ca", "au", "in", "ru", "br", "nl",
    "es", "ch", "se", "no", "fm", "sm", "xyz", "pdf", "txt", "jpg", "jpeg", "png", "gif", "mp",
    "wav", "zip", "exe", "py", "rs", "js", "html", "htm", "csv", "json", "yaml", "yml", "toml",
    "md", "doc", "docx", "xls", "xlsx", "ppt",
];
/// Letters that are spelled wherever they stand in an address.
const SPELLED: &[&str] = &[
    "www", "html", "pdf", "png", "gif", "csv", "yml", "sm", "uk", "de", "tv", "io", "ai", "cn",
    "api", "faq", "us", "usb", "cpu", "gpu", "rtx", "cuda", "nvidia", "bbc", "cnn", "ibm", "sql",
    "php", "xml", "tts", "id", "hd",
];

/// Words of an address: letters in runs, digits one by one, signs by name.
fn spell(text: &str, parts_before: usize) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut run = String::new();
    let parts = text.matches('.').count() + parts_before;
    let mut part = 0;
    let close = |run: &mut String, words: &mut Vec<String>, last: bool| {
        if run.is_empty() {
            return;
        }
        let small = run.to_ascii_lowercase();
        let spelled = SPELLED.contains(&small.as_str()) && (small != "us" || last)
            || last
                && !SAID.contains(&small.as_str())
                && small.len() <= 3
                && small.chars().all(|c| c.is_ascii_lowercase());
        words.push(match small.as_str() {
            "jpg" => "jpeg".to_owned(),
            _ if spelled => small.to_ascii_uppercase(),
            _ => run.clone(),
        });
        run.clear();
    };
    for c in text.chars() {
        if c.is_alphabetic() {
            run.push(c);
            continue;
        }
        close(&mut run, &mut words, part > 0 && part == parts);
        let word = match c {
            '.' => {
                part += 1;
                "dot".to_owned()
            }
            '@' => "at".to_owned(),
            '-' => "dash".to_owned(),
            '_' => "underscore".to_owned(),
            '&' => "ampersand".to_owned(),
            '+' => "plus".to_owned(),
            '/' => "slash".to_owned(),
            '~' => "tilde".to_owned(),
            '%' => "percent".to_owned(),
            ':' => "colon".to_owned(),
            '?' => "question mark".to_owned(),
            '=' => "equals".to_owned(),
            '#' => "hash".to_owned(),
            c if c.is_ascii_digit() => digits(&c.to_string()),
            _ => continue,
        };
        words.push(word);
    }
    close(&mut run, &mut words, part > 0 && part == parts);
    words.join(" ")
}

/// Whether the find is all there is.
fn is_alone(found: &Found<'_>) -> bool {
    found.before().trim().is_empty() && found.after().trim().is_empty()
}

/// A whole URL, sign by sign.
fn all_of(url: &str) -> String {
    let url = url.trim_end_matches(['.', ',', '!', '?']);
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let mut words = Vec::new();
    if scheme.len() > 3 && !scheme.to_ascii_lowercase().starts_with("http") {
        words.push(format!("{scheme} colon slash slash"));
    } else if !scheme.is_empty() {
        words.push(format!("{} colon slash slash", scheme.to_ascii_uppercase()));
    }
    words.push(spell(host, 0));
    words.push(spell(path, path.matches('.').count()));
    words.retain(|part| !part.is_empty());
    words.join(" ")
}

fn host(found: &Found<'_>) -> Option<String> {
    if is_alone(found) {
        return Some(all_of(found.group(0)));
    }
    // The stop of a sentence is no part of the address.
    let stop = found.group(0).ends_with(['.', ',', '!', '?', ')']);
    let words = spell(found.group(1).trim_end_matches('.'), 0);
    found.starts_clean().then(|| {
        if stop { format!("{words}{}", &found.group(0)[found.group(0).len() - 1..]) } else { words }
    })
}

fn file(found: &Found<'_>) -> Option<String> {
    if is_alone(found) {
        return Some(all_of(found.group(0)));
    }
    let name = found.group(1).rsplit('/').find(|part| !part.is_empty())?;
    Some(spell(name, 0))
}

fn mail(found: &Found<'_>) -> Option<String> {
    let (user, host) = (found.group(1), found.group(2));
    if !found.starts_clean() {
        return None;
    }
    let path = found.group(0).split_once('/').map_or(String::new(), |(_, path)| {
        let tail: Vec<String> = path
            .split('-')
            .map(|part| {
                if part.len() == 2 && part.chars().all(char::is_alphabetic) {
                    part.to_ascii_uppercase()
                } else {
                    spell(part, 0)
                }
            })
            .collect();
        format!(" slash {}", tail.join(" dash "))
    });
    Some(format!("{} at {}{path}", spell(user, 9), spell(host, 0)))
}

fn name(found: &Found<'_>) -> Option<String> {
    let text = found.group(0);
    let (host, path) = text.split_once('/').map_or((text, ""), |(host, path)| (host, path));
    let host = host.split(':').next().unwrap_or_default();
    let ending = host.rsplit('.').next()?.to_ascii_lowercase();
    let alone = is_alone(found) && host.find('.').is_some_and(|at| at > 2);
    let known = (alone || ENDINGS.contains(&ending.as_str()))
        && host.contains(|c: char| c.is_ascii_alphabetic() && c != '.');
    // "sleep.In the morning" lost its space; a name has small letters after its dot.
    let small =
        host.rsplit('.').next().is_some_and(|end| end.chars().all(|c| c.is_ascii_lowercase()))
            || host.chars().all(|c| !c.is_ascii_lowercase());
    let first_is_name =
        host.split('.').next().is_some_and(|part| part.chars().any(char::is_alphabetic));
    if !(known && small && first_is_name && found.is_whole()) {
        return None;
    }
    let mut words = spell(host, 0);
    if !ENDINGS.contains(&ending.as_str())
        && let Some((before, _)) = words.rsplit_once(' ')
    {
        // Who knows whether an unknown ending is spelled.
        words = format!("{before} {ending}");
    }
    if !found.group(1).is_empty() {
        words = format!("{words} colon {}", digits(found.group(1)));
    }
    Some(if path.is_empty() { words } else { format!("{words} slash {}", spell(path, 9)) })
}

fn either(found: &Found<'_>) -> Option<String> {
    let text = found.group(0);
    let closed = found.next() != Some('/') && found.previous() != Some('/') && found.is_whole();
    (closed && text != "N/A" && text != "km/h")
        .then(|| text.split('/').map(str::trim).collect::<Vec<_>>().join(" slash "))
}

fn path(found: &Found<'_>) -> Option<String> {
    let text = found.group(0);
    let path = text.matches('/').count() > 1 || text.starts_with(['~', '.']);
    (path && found.previous().is_none_or(char::is_whitespace)).then(|| spell(text, 9))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn addresses() {
        assert_read(&[
            ("See https://www.example.com/a/b?x=1.", "See example dot com."),
            (
                "Mail jo.doe_7@example.org now",
                "Mail jo dot doe underscore seven at example dot org now",
            ),
            ("visit example.co.uk", "visit example dot co dot UK"),
            ("open report.pdf", "open report dot PDF"),
            ("on/off", "on slash off"),
            (
                "https://www.example.com/a-1?b=2",
                "HTTPS colon slash slash WWW dot example dot com slash a dash one question mark b equals two",
            ),
            (
                "on localhost.local:8080 now",
                "on localhost dot local colon eight zero eight zero now",
            ),
            ("myhome.xyzw", "myhome dot xyzw"),
            ("in ~/music/live", "in tilde slash music slash live"),
        ]);
    }
}

//! What was asked back and waits for the next sentence.

use super::several::{glued, trimmed};
use super::turn::Part;

/// A question that the next sentence may answer. Any other sentence drops it.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    /// Whether to do these commands: yes or no.
    Confirm(Vec<Part>),
    /// Which of these commands was meant: what it is called, or no.
    Choose(Vec<(String, Part)>),
    /// What a command lacks: the sentence so far.
    Missing(String),
}

/// An answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
}

const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "sure",
    "ok",
    "okay",
    "correct",
    "right",
    "exactly",
    "please do",
    "do it",
    "go ahead",
    "yes please",
    "that's right",
    "of course",
    "confirm",
    "是",
    "是的",
    "对",
    "对的",
    "好",
    "好的",
    "没错",
    "可以",
    "行",
    "嗯",
    "确认",
    "确定",
    "是啊",
    "对啊",
    "要",
];

const NO: &[&str] = &[
    "no",
    "nope",
    "nah",
    "no thanks",
    "no thank you",
    "don't",
    "cancel",
    "stop",
    "never mind",
    "nevermind",
    "forget it",
    "wrong",
    "not that",
    "不是",
    "不",
    "不用",
    "不要",
    "不对",
    "算了",
    "取消",
    "没有",
    "别",
    "错了",
    "不用了",
];

/// Whether a sentence is a plain yes or no.
pub(super) fn verdict(text: &str) -> Option<Verdict> {
    let said = trimmed(text).to_lowercase().replace(['，', ',', '\u{2019}'], "");
    let said = said.trim();
    if YES.contains(&said) {
        return Some(Verdict::Yes);
    }
    NO.iter().any(|no| no.replace('\'', "") == said.replace('\'', "")).then_some(Verdict::No)
}

/// A command that lacks something, and what is asked for it.
pub(super) fn question(text: &str, language: &str) -> Option<String> {
    let said = trimmed(text).to_lowercase();
    let one_of = |words: &[&str]| words.contains(&said.as_str());
    if glued(language) {
        if one_of(&["打开", "关闭", "关掉", "关上", "开一下", "关一下", "启动"]) {
            return Some(format!("要{said}什么？"));
        }
        let timers =
            ["设置计时器", "设一个计时器", "设个计时器", "定个计时器", "开始计时", "计时", "定时"];
        return one_of(&timers).then(|| "计时多久？".to_owned());
    }
    if !language.starts_with("en") {
        return None;
    }
    let verbs = [
        "turn on",
        "turn off",
        "switch on",
        "switch off",
        "open",
        "close",
        "lock",
        "unlock",
        "activate",
    ];
    if one_of(&verbs) {
        return Some(format!("What should I {said}?"));
    }
    let timers = ["set a timer", "set the timer", "set timer", "start a timer", "start timer"];
    one_of(&timers).then(|| "For how long?".to_owned())
}

/// The sentences that a command and what it lacked may make together.
pub(super) fn filled(begun: &str, answer: &str, language: &str) -> Vec<String> {
    let (begun, answer) = (trimmed(begun), trimmed(answer));
    if glued(language) {
        return vec![
            format!("{begun}{answer}"),
            format!("设置{answer}计时器"),
            format!("设置{answer}的计时器"),
            format!("{answer}计时器"),
        ];
    }
    let answer = answer.strip_prefix("for ").unwrap_or(answer);
    ["", "the ", "for "].iter().map(|word| format!("{begun} {word}{answer}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_answers_are_told_from_sentences() {
        let cases = [
            ("Yes.", Some(Verdict::Yes)),
            ("是的。", Some(Verdict::Yes)),
            ("好", Some(Verdict::Yes)),
            ("No, thanks!", Some(Verdict::No)),
            ("Never mind", Some(Verdict::No)),
            ("don\u{2019}t", Some(Verdict::No)),
            ("算了", Some(Verdict::No)),
            ("不是。", Some(Verdict::No)),
            ("turn on the light", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(verdict(text), expected, "{text}");
        }
    }

    #[test]
    fn only_bare_commands_are_asked_about() {
        let cases = [
            ("en", "Turn on.", Some("What should I turn on?")),
            ("en", "set a timer", Some("For how long?")),
            ("zh", "打开", Some("要打开什么？")),
            ("zh", "设置计时器。", Some("计时多久？")),
            ("en", "turn on the light", None),
            ("de", "open", None),
        ];
        for (language, text, expected) in cases {
            assert_eq!(question(text, language).as_deref(), expected, "{text}");
        }
        assert_eq!(filled("set a timer", "for 5 minutes.", "en")[2], "set a timer for 5 minutes");
        assert_eq!(filled("打开", "空调", "zh")[0], "打开空调");
    }
}

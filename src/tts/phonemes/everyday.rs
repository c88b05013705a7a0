//! Readings that the words beside a character decide: 了 in 吃不了, 地 in 慢慢地, 得 in 你得小心, 调 in 调到.
//!
//! The network was taught with sentences of an encyclopedia, where people hardly speak to each other. What they say all
//! day is short and follows rules, so the rules come first.

use std::ops::Range;

/// What a rule may ask about the words of a sentence.
pub(super) struct Around<'a> {
    /// The sentence.
    pub(super) sentence: &'a [char],
    /// Where its words stand, in order.
    pub(super) words: &'a [Range<usize>],
    /// The part of speech of a word, as the segmenter's dictionary has it.
    pub(super) tag: &'a dyn Fn(&str) -> String,
}

impl Around<'_> {
    fn text(&self, at: &Range<usize>) -> String {
        self.sentence.get(at.clone()).into_iter().flatten().collect()
    }

    /// The word beside `word`, where no sign stands between.
    fn beside(&self, word: usize, step: isize) -> String {
        let Some(other) = word.checked_add_signed(step) else { return String::new() };
        let (Some(here), Some(there)) = (self.words.get(word), self.words.get(other)) else {
            return String::new();
        };
        let touching = here.start == there.end || there.start == here.end;
        if touching { self.text(there) } else { String::new() }
    }
}

/// Who is spoken of or to.
const PERSONS: &str = "我你您他她它咱俺谁";

/// What stands between whom and the 得 that means "must".
const ADVERBS: &[&str] = &[
    "还", "就", "总", "只", "必", "都", "也", "非", "可", "真", "又", "先", "再", "便", "才", "仍",
    "们", "人", "今天", "明天", "现在", "以后", "大家", "我们", "你们", "咱们", "他们", "她们",
    "至少", "可能", "一定", "恐怕", "肯定", "总是", "每天",
];

/// What stands before the 得 that means "to get" or that ends a word.
const GOT: &str = "取获觉记显赢值变懂夺使认晓舍博求难只免省";

/// How the character at `index` is said, where the words beside it decide.
pub(super) fn reading(around: &Around<'_>, index: usize) -> Option<&'static str> {
    let c = *around.sentence.get(index)?;
    if !"了着地得为调教数长重种切还行".contains(c) {
        return None;
    }
    let word = around.words.iter().position(|word| word.contains(&index))?;
    let own = around.words[word].clone();
    let alone = own.len() == 1;
    let at = |offset: isize| {
        index
            .checked_add_signed(offset)
            .and_then(|i| around.sentence.get(i))
            .copied()
            .unwrap_or(' ')
    };
    let (before, after) = (around.beside(word, -1), around.beside(word, 1));
    let tag = |word: &str| if word.is_empty() { String::new() } else { (around.tag)(word) };
    match c {
        // 吃不了, 来得了 — but 取得了 and 不了 alone
        '了' if at(-1) == '不' && is_han(at(-2)) => Some("liao3"),
        '了' if at(-1) == '得' && is_han(at(-2)) && !GOT.contains(at(-2)) => Some("liao3"),
        '着' if matches!(at(-1), '不' | '得') && is_han(at(-2)) => Some("zhao2"),
        // 慢慢地走, 认真地听
        '地' if index + 1 == own.end => {
            let twice = at(-1) == at(-2) && is_han(at(-1));
            let manner = alone
                && before.chars().count() > 1
                && (tag(&before).starts_with(['a', 'd', 'z', 'i', 'l']) || tag(&before) == "v")
                && tag(&after).starts_with(['v', 'd', 'p', 'a', 'l', 'i', 'z']);
            let place = after.starts_with(['上', '里', '下', '面', '方', '区']);
            (!after.is_empty() && (twice && !place || manner)).then_some("de5")
        }
        // 说得好, where the segmenter makes one word of it; 取得 and 值得 are phrases.
        '得' if own.start < index => Some("de5"),
        '得' if alone => {
            let subject = before.chars().count() == 1 && PERSONS.contains(&before)
                || ADVERBS.contains(&before.as_str());
            let gained = [
                "了", "过", "到", "出", "起", "很", "太", "不", "的", "第", "分", "奖", "病", "冠",
                "金", "知",
            ];
            if subject && !after.is_empty() && !gained.iter().any(|word| after.starts_with(word)) {
                return Some("dei3");
            }
            // 跑得快, 说得好极了
            let verb = tag(&before).starts_with(['v', 'a', 'g']);
            let how = tag(&after).starts_with(['a', 'd', 'z', 'r', 'v', 'l', 'i', 'm'])
                && !after.starts_with(['了', '过', '到', '第']);
            (verb && how && !before.is_empty()).then_some("de5")
        }
        '为' if alone => {
            let whom = tag(&after) == "r"
                || after.chars().all(|c| PERSONS.contains(c)) && !after.is_empty();
            (whom && !tag(&before).starts_with('v')).then_some("wei4")
        }
        // 把音量调到三十
        '调' if alone => Some("tiao2"),
        '教' if alone => tag(&after).starts_with(['r', 'n', 'v']).then_some("jiao1"),
        '数' if own.start == index && (at(1) == '到' || at(1) == '一' && at(2) == '数') => {
            Some("shu3")
        }
        '长' if at(1) == '得' => Some("zhang3"),
        '长' if "很多太更最够".contains(at(-1)) && !"大高出".contains(at(1)) => {
            Some("chang2")
        }
        '长' if alone => match before.as_str() {
            "不" | "好" | "这么" | "那么" | "挺" | "非常" | "真" | "有点" | "再" | "越" => {
                Some("chang2")
            }
            _ if after.starts_with(['出', '满', '在', '成', '着']) || after == "了" => {
                Some("zhang3")
            }
            _ => None,
        },
        // 第一行
        '行' if index > 1 && at(-2) == '第' => Some("hang2"),
        '重' if alone => match before.as_str() {
            "很" | "多" | "太" | "更" | "最" | "不" | "好" | "这么" | "那么" | "挺" | "非常"
            | "真" | "有点" => Some("zhong4"),
            _ => None,
        },
        '种' if alone => match before.chars().last() {
            Some(
                '这' | '那' | '几' | '两' | '一' | '三' | '各' | '多' | '此' | '某' | '哪' | '百'
                | '十',
            ) => Some("zhong3"),
            _ => None,
        },
        '切' if alone => after
            .starts_with(['菜', '肉', '片', '块', '开', '成', '丝', '到', '歌', '水', '蛋', '好'])
            .then_some("qie1"),
        '还' if alone => {
            let owed = after.starts_with(['钱', '书', '债', '给', '款', '账', '贷']);
            owed.then_some("huan2")
        }
        _ => None,
    }
}

fn is_han(c: char) -> bool {
    super::pinyin::is_hanzi(c)
}

#[cfg(test)]
mod tests {
    use super::super::pinyin;

    /// What people say all day; the marked character and how it is read.
    #[test]
    fn everyday_sentences() {
        let mut wrong = Vec::new();
        for line in include_str!("everyday.tsv").lines() {
            let (marked, said) = line.split_once('\t').expect("a sentence, a tab, a reading");
            let at = marked.chars().position(|c| c == '▁').expect("a marked character");
            let got = pinyin::reading(&marked.replace('▁', ""), at);
            if got != said {
                wrong.push(format!("{marked}: {got}, not {said}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

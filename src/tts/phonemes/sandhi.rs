//! How Mandarin tones change in a sentence: third tones in a row, 一 and 不, neutral tones, 儿.

use super::pinyin::Reading;

/// Changes the syllables of `words`, which are the Chinese words of `sentence` in order.
pub(super) fn apply(sentence: &[char], words: &mut [Reading], is_word: &dyn Fn(&str) -> bool) {
    for word in words.iter_mut() {
        neutral(sentence, word);
    }
    numerals(sentence, words);
    for word in words.iter_mut() {
        third_tones_inside(sentence, word, is_word);
    }
    third_tones_between(words);
}

fn tone(syllable: &str) -> u8 {
    syllable.bytes().last().map_or(5, |b| b.wrapping_sub(b'0'))
}

fn set_tone(syllable: &mut String, tone: char) {
    syllable.pop();
    syllable.push(tone);
}

/// Words whose last syllable is light though its character alone is not.
const LIGHT: &[&str] = &[
    "谢谢", "喜欢", "知道", "东西", "朋友", "先生", "时候", "地方", "衣服", "消息", "事情", "关系",
    "意思", "告诉", "觉得", "认识", "休息", "客气", "明白", "早上", "晚上", "什么", "怎么", "那么",
    "这么", "多么", "名字", "月亮", "太阳", "窗户", "钥匙", "眼睛", "耳朵", "脑袋", "头发", "学生",
    "大夫", "护士", "漂亮", "便宜", "舒服", "干净", "清楚", "麻烦", "热闹", "凉快", "暖和", "收拾",
    "打扫", "打听", "商量", "咳嗽", "豆腐", "葡萄", "萝卜", "黄瓜", "点心", "棉花", "玻璃", "扫帚",
    "行李", "故事", "笑话", "力气", "脾气", "运气", "福气", "丈夫", "妻子", "亲戚", "师傅", "裁缝",
    "和尚", "招呼", "答应", "应付", "吩咐", "吓唬", "糊涂", "马虎", "结实", "老实", "厉害", "新鲜",
    "精神", "见识", "本事", "道理", "规矩", "里头", "外头", "前头", "后头", "上头", "下头", "石头",
    "木头", "骨头", "馒头", "舌头", "枕头", "罐头", "拳头", "闺女", "媳妇", "姑娘", "孩子", "妹妹",
    "弟弟", "哥哥", "姐姐", "妈妈", "爸爸", "爷爷", "奶奶", "叔叔", "伯伯", "舅舅", "姑姑", "太太",
    "宝宝", "娃娃", "星星", "猩猩", "婆婆", "公公", "嫂嫂", "姥姥",
];

/// Verbs that are said twice to mean "a little"; the second time is light.
const TWICE: &str = "看听说想试问走坐等聊玩写读查找尝谈数算猜躺歇听摸闻学练谢";

/// Whom one calls by a doubled syllable; the second is light.
const KIN: &str = "爸妈哥姐弟妹爷奶叔舅姑婆公伯嫂宝娃星猩姥";

fn neutral(sentence: &[char], word: &mut Reading) {
    let Some(chars) = sentence.get(word.at.clone()) else { return };
    let text: String = chars.iter().collect();
    // 爸爸妈妈 may be one word to the segmenter.
    for (i, pair) in chars.windows(2).enumerate() {
        if pair[0] == pair[1]
            && KIN.contains(pair[0])
            && let Some(second) = word.syllables.get_mut(i + 1)
        {
            set_tone(second, '5');
        }
    }
    let Some(last) = word.syllables.last_mut() else { return };
    match chars {
        // An r at the end of a word belongs to the syllable before it.
        [_, .., '儿'] if !NOT_RHOTIC.contains(&text.as_str()) => *last = "er5".into(),
        [a, b] if a == b && TWICE.contains(*a) => set_tone(last, '5'),
        [.., '们' | '么'] => set_tone(last, '5'),
        _ if LIGHT.contains(&text.as_str()) => set_tone(last, '5'),
        _ => {}
    }
}

/// Words in which 儿 is a child and has its own syllable.
const NOT_RHOTIC: &[&str] = &[
    "女儿",
    "婴儿",
    "幼儿",
    "少儿",
    "孤儿",
    "胎儿",
    "健儿",
    "男儿",
    "小儿",
    "孩儿",
    "宠儿",
    "幸运儿",
    "混血儿",
    "早产儿",
];

fn numerals(sentence: &[char], words: &mut [Reading]) {
    const DIGITS: &str = "〇零一二三四五六七八九两幺";
    let tones: Vec<(usize, u8)> =
        words.iter().flat_map(|w| w.at.clone().zip(w.syllables.iter().map(|s| tone(s)))).collect();
    // The tone of the next character, where one follows at once.
    let next_tone = |i: usize| tones.iter().find(|(at, _)| *at == i + 1).map(|(_, t)| *t);
    let char_at = |i: usize| sentence.get(i).copied().unwrap_or(' ');
    for word in words.iter_mut() {
        for (i, syllable) in word.at.clone().zip(&mut word.syllables) {
            let before = i.checked_sub(1).map_or(' ', char_at);
            let after = char_at(i + 1);
            let earlier = i.checked_sub(2).map_or(' ', char_at);
            // 五月一日, 星期一下午
            let dated = before == '月' && matches!(after, '日' | '号')
                || matches!((earlier, before), ('星', '期') | ('礼', '拜'));
            let between_twins = before == after && before != ' ' && next_tone(i).is_some();
            let changed = match char_at(i) {
                '不' if between_twins => "bu5",
                '不' if next_tone(i) == Some(4) => "bu2",
                '一' if between_twins && !DIGITS.contains(before) => "yi5",
                // Counting, ordinals, dates and floors keep the number's own tone.
                '一' if DIGITS.contains(before) || "第十百千万亿点初周".contains(before) =>
                {
                    continue;
                }
                '一' if dated => continue,
                '一' if DIGITS.contains(after) || "月号楼".contains(after) => continue,
                '一' if after == '个' => "yi2",
                '一' => match next_tone(i) {
                    Some(4) => "yi2",
                    Some(1..=3) => "yi4",
                    _ => continue,
                },
                _ => continue,
            };
            *syllable = changed.into();
        }
    }
}

fn third_tones_inside(sentence: &[char], word: &mut Reading, is_word: &dyn Fn(&str) -> bool) {
    let n = word.syllables.len();
    let pairs: Vec<usize> = if n == 3 {
        // 展览·馆 falls from the left, 小·老鼠 from the right.
        let left: String =
            sentence.get(word.at.start..word.at.start + 2).into_iter().flatten().collect();
        let right: String =
            sentence.get(word.at.start + 1..word.at.end).into_iter().flatten().collect();
        if is_word(&left) && !is_word(&right) { vec![0, 1] } else { vec![1, 0] }
    } else {
        // Longer words are said two by two; then the seams.
        (0..n.saturating_sub(1)).step_by(2).chain((1..n.saturating_sub(1)).step_by(2)).collect()
    };
    for i in pairs {
        if let [first, second] = &mut word.syllables[i..i + 2]
            && tone(first) == 3
            && tone(second) == 3
        {
            set_tone(first, '2');
        }
    }
    // 想想 is said as if its light half still had its third tone.
    if let [first, second] = word.syllables.as_mut_slice()
        && tone(first) == 3
        && tone(second) == 5
        && sentence.get(word.at.start).is_some_and(|c| TWICE.contains(*c))
        && first[..first.len() - 1] == second[..second.len() - 1]
    {
        set_tone(first, '2');
    }
}

/// From the end of the sentence to its beginning, so that 我·很好 gives 3-2-3 and not a row of rises.
fn third_tones_between(words: &mut [Reading]) {
    for i in (1..words.len()).rev() {
        let (before, after) = words.split_at_mut(i);
        if let ([.., left], [right, ..]) = (before, after)
            && left.at.end == right.at.start
            && let (Some(last), Some(first)) = (left.syllables.last_mut(), right.syllables.first())
            && tone(last) == 3
            && tone(first) == 3
        {
            set_tone(last, '2');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lexicon;
    use super::super::pinyin;

    fn said(text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let mut words = pinyin::readings(&chars, &Lexicon::default());
        super::apply(&chars, &mut words, &pinyin::is_word);
        words.iter().flat_map(|w| w.syllables.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tones_change_in_company() {
        let cases = [
            ("你好", "ni2 hao3"),
            ("展览馆", "zhan2 lan2 guan3"),
            ("我很好", "wo3 hen2 hao3"),
            ("不是", "bu2 shi4"),
            ("不好", "bu4 hao3"),
            ("好不好", "hao3 bu5 hao3"),
            ("一个", "yi2 ge4"),
            ("一天", "yi4 tian1"),
            ("第一", "di4 yi1"),
            ("一月一号", "yi1 yue4 yi1 hao4"),
            ("二十一", "er4 shi2 yi1"),
            ("一样", "yi2 yang4"),
            ("看一看", "kan4 yi5 kan4"),
            ("妈妈", "ma1 ma5"),
            ("爸爸妈妈", "ba4 ba5 ma1 ma5"),
            ("五月一日", "wu3 yue4 yi1 ri4"),
            ("星期一下午", "xing1 qi1 yi1 xia4 wu3"),
            ("这个月一起", "zhe4 ge5 yue4 yi4 qi3"),
            ("想想", "xiang2 xiang5"),
            ("花儿", "hua1 er5"),
            ("女儿", "nv3 er2"),
            ("我们的房子", "wo3 men5 de5 fang2 zi5"),
            ("好了吗", "hao3 le5 ma5"),
            ("灯已经打开了", "deng1 yi3 jing1 da3 kai1 le5"),
        ];
        for (text, expected) in cases {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}

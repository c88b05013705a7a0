//! Surnames that are read otherwise than the same character elsewhere: 单 is shàn, 解 xiè, 曾 zēng.
//!
//! A character is taken for a surname only where the words around it say so: behind 姓, before a title, in a name that
//! the segmenter's dictionary knows, or between a verb of calling and the end of a name.

/// How a character is read as a surname.
const SURNAMES: &[(char, &str)] = &[
    ('单', "shan4"),
    ('仇', "qiu2"),
    ('解', "xie4"),
    ('曾', "zeng1"),
    ('区', "ou1"),
    ('查', "zha1"),
    ('任', "ren2"),
    ('华', "hua4"),
    ('朴', "piao2"),
    ('盖', "ge3"),
    ('缪', "miao4"),
    ('翟', "zhai2"),
    ('乐', "yue4"),
    ('折', "she2"),
    ('覃', "qin2"),
    ('燕', "yan1"),
    ('曲', "qu1"),
    ('那', "na1"),
    ('尉', "wei4"),
    ('纪', "ji3"),
    ('种', "chong2"),
    ('秘', "bi4"),
    ('繁', "po2"),
    ('冼', "xian3"),
    ('召', "shao4"),
    ('员', "yun4"),
    ('洗', "xian3"),
    ('祭', "zhai4"),
    ('句', "gou1"),
    ('车', "che1"),
    ('宁', "ning4"),
    ('葛', "ge3"),
    ('黑', "he4"),
];

/// Surnames of two characters.
const DOUBLE: &[(&str, [&str; 2])] = &[
    ("尉迟", ["yu4", "chi2"]),
    ("单于", ["chan2", "yu2"]),
    ("万俟", ["mo4", "qi2"]),
    ("长孙", ["zhang3", "sun1"]),
    ("澹台", ["tan2", "tai2"]),
    ("令狐", ["ling2", "hu2"]),
];

/// What follows a surname or a name.
const TITLES: &[&str] = &[
    "先生", "女士", "小姐", "老师", "医生", "大夫", "经理", "教授", "太太", "师傅", "同学", "阿姨",
    "叔叔", "主任", "局长", "市长", "院长", "校长", "警官", "律师", "博士", "总监", "老板", "爷爷",
    "奶奶", "伯伯", "家的", "导演", "部长", "秘书", "护士", "队长", "将军",
];

/// What stands before a name.
const CALLS: &[&str] = &[
    "给", "叫", "找", "打给", "呼叫", "联系", "提醒", "告诉", "通知", "我是", "他是", "她是",
    "叫做", "名叫", "和", "跟",
];

/// What follows a whole name behind one of [`CALLS`].
const AFTER_CALLS: &[&str] =
    &["打电话", "发消息", "发短信", "发微信", "打个电话", "回电话", "发邮件", "回个电话"];

/// Common words that begin with one of the characters; not names, whatever stands before.
const WORDS: &[&str] = &[
    "查看", "查询", "查找", "查天", "查一", "解释", "解决", "解锁", "解开", "区域", "单独", "单位",
    "单元", "乐队", "车库", "车门", "那个", "那里", "那边", "华为", "种类", "黑色", "任务", "任何",
    "曲子", "折叠", "洗衣", "洗碗", "员工", "宁静",
];

/// Sets the reading of every character of `sentence` that is a surname here. `named` tells whether the dictionary has
/// a word as somebody's name.
pub(super) fn apply(
    sentence: &[char],
    named: &dyn Fn(&str) -> bool,
    mut set: impl FnMut(usize, &str),
) {
    let text = |from: usize, to: usize| -> String {
        sentence.get(from..to.min(sentence.len())).into_iter().flatten().collect()
    };
    for (i, &c) in sentence.iter().enumerate() {
        let two = text(i, i + 2);
        if let Some((_, said)) = DOUBLE.iter().find(|(name, _)| *name == two) {
            let titled = (2..=4).any(|n| starts_with_any(&text(i + n, i + n + 4), TITLES));
            // 单于 may also be "only in"; 长孙 the eldest grandson.
            if titled || !matches!(two.as_str(), "单于" | "长孙") {
                set(i, said[0]);
                set(i + 1, said[1]);
                continue;
            }
        }
        let Some((_, said)) = SURNAMES.iter().find(|(name, _)| *name == c) else { continue };
        if WORDS.contains(&two.as_str()) {
            continue;
        }
        let before: String = text(i.saturating_sub(2), i);
        // 查老师 asks for a teacher; 区经理 manages a district.
        let verb =
            matches!(c, '查' | '区' | '解' | '洗' | '种' | '车' | '那' | '任' | '单' | '员' | '黑');
        let titled = !verb && starts_with_any(&text(i + 1, i + 4), TITLES)
            || matches!(c, '单' | '解' | '任' | '查' | '区')
                && ["先生", "女士", "小姐", "太太"].iter().any(|t| text(i + 1, i + 3) == *t);
        let name_titled = (2..=3).any(|n| {
            let named_so = starts_with_any(&text(i + n, i + n + 3), &TITLES[..4]);
            named_so && CALLS.iter().any(|call| before.ends_with(call))
                || named_so && i == 0 && !verb
        });
        let called = CALLS.iter().any(|call| before.ends_with(call))
            && (2..=3).any(|n| starts_with_any(&text(i + n, i + n + 4), AFTER_CALLS));
        // The dictionary calls much a name that is none (朴实, 哈里发), so it is asked only about whole names that
        // begin with what is hardly ever anything else.
        let known = matches!(c, '曾' | '翟' | '单' | '解')
            && i + 3 <= sentence.len()
            && named(&text(i, i + 3));
        let familiar = before.ends_with(['老', '小'])
            && matches!(c, '曾' | '仇' | '翟' | '朴' | '覃' | '缪' | '任' | '葛' | '单')
            && text(i + 1, i + 2).chars().all(|next| "，。！？的家说在打来".contains(next));
        if before.ends_with('姓') || titled || name_titled || called || known || familiar {
            set(i, said);
        }
    }
}

fn starts_with_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::super::pinyin;

    #[test]
    fn surnames_in_company() {
        for (sentence, index, said) in [
            ("他姓单", 2, "shan4"),
            ("单先生来了", 0, "shan4"),
            ("仇女士您好", 0, "qiu2"),
            ("给解小东打电话", 1, "xie4"),
            ("曾老师在吗", 0, "zeng1"),
            ("曾国藩是湖南人", 0, "zeng1"),
            ("她姓查", 2, "zha1"),
            ("提醒任小明发消息", 2, "ren2"),
            ("尉迟恭", 0, "yu4"),
            // and where they are none
            ("查一下天气", 0, "cha2"),
            ("我曾经去过", 1, "ceng2"),
            ("打开小区的门", 3, "qu1"),
            ("解释一下", 0, "jie3"),
            ("单独打开", 0, "dan1"),
            ("播放音乐", 3, "yue4"),
        ] {
            assert_eq!(pinyin::reading(sentence, index), said, "{sentence}");
        }
    }
}

//! Real sentences of the package on the home that Hearken comes with: what is done and said.

use std::path::PathBuf;

use hearken::dialogue::{Dialogue, Reply};
use hearken::home::{FixedClock, Home};
use hearken::intent::Language;

/// The folder with the package's `LANG.json`.
fn package() -> PathBuf {
    crate::installed::store().folder_of("home-assistant-intents").unwrap()
}

fn clock() -> FixedClock {
    FixedClock::new("2026-11-24T20:05:00[UTC]".parse().unwrap())
}

fn dialogue() -> Dialogue {
    let language =
        |code: &str| Language::from_file(&package().join(format!("{code}.json"))).unwrap();
    let languages = vec![language("en"), language("zh-CN")];
    Dialogue::new(Home::demo(), languages).unwrap().with_clock(Box::new(clock()))
}

/// The actions as `service entity`, in order.
fn done(reply: &Reply) -> Vec<String> {
    reply.actions.iter().map(|action| format!("{} {}", action.service, action.entity)).collect()
}

/// Area, sentence, actions, answer.
type Row = (Option<&'static str>, &'static str, &'static [&'static str], &'static str);

fn check(language: &str, rows: &[Row]) {
    let mut wrong = Vec::new();
    let ready = dialogue();
    assert_eq!(ready.languages().collect::<Vec<_>>(), ["en", "zh-CN"]);
    for (area, text, actions, answer) in rows {
        let reply = dialogue().respond(text, language, *area);
        if done(&reply) != *actions || reply.text != *answer {
            wrong.push(format!(
                "{text}\n   got {:?} {:?} {:?}",
                done(&reply),
                reply.text,
                reply.intent
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn english_sentences_act_and_are_answered() {
    check(
        "en",
        &[
            (
                None,
                "turn on the kitchen light",
                &["light.turn_on light.kitchen"],
                "Turned on the light",
            ),
            (
                None,
                "Turn off the hall light.",
                &["light.turn_off light.hall"],
                "Turned off the light",
            ),
            (
                None,
                "turn on the lights in the bedroom",
                &["light.turn_on light.bedroom", "light.turn_on light.bedside"],
                "Turned on the lights",
            ),
            (
                Some("kitchen"),
                "turn off the lights",
                &["light.turn_off light.kitchen", "light.turn_off light.kitchen_counter"],
                "Turned off the lights",
            ),
            (
                None,
                "set the bedside lamp to 30 percent",
                &["light.turn_on light.bedside"],
                "Brightness set",
            ),
            (
                None,
                "set the reading lamp to red",
                &["light.turn_on light.reading_lamp"],
                "Color set",
            ),
            (
                None,
                "turn on the coffee machine",
                &["switch.turn_on switch.coffee_machine"],
                "Turned on the switch",
            ),
            (None, "open the garage door", &["cover.open_cover cover.garage_door"], "Opening"),
            (
                Some("living room"),
                "close the curtains",
                &["cover.close_cover cover.living_room_curtains"],
                "Closing the curtains",
            ),
            (
                None,
                "set the bedroom blinds to 40%",
                &["cover.set_cover_position cover.bedroom_blinds"],
                "Position set",
            ),
            (None, "lock the front door", &["lock.lock lock.front_door"], "Locking"),
            (None, "unlock the back door", &["lock.unlock lock.back_door"], "Unlocking"),
            (
                None,
                "set the thermostat to 22 degrees",
                &["climate.set_temperature climate.living_room"],
                "Temperature set to 22 degrees",
            ),
            (
                None,
                "set the thermostat to 80 degrees",
                &[],
                "Sorry, for Thermostat that has to be from 16 to 30",
            ),
            (Some("bedroom"), "what is the temperature?", &[], "18 degrees"),
            (None, "turn on the ceiling fan", &["fan.turn_on fan.bedroom"], "Turned on the fan"),
            (
                None,
                "set ceiling fan speed to 50%",
                &["fan.set_percentage fan.bedroom"],
                "Speed set",
            ),
            (
                None,
                "activate the movie night scene",
                &[
                    "scene.turn_on scene.movie_night",
                    "light.turn_on light.living_room",
                    "light.turn_off light.reading_lamp",
                    "cover.close_cover cover.living_room_curtains",
                    "media_player.turn_on media_player.tv",
                ],
                "Activated",
            ),
            (
                Some("kitchen"),
                "pause the music",
                &["media_player.media_pause media_player.kitchen_speaker"],
                "Paused",
            ),
            (
                None,
                "set TV volume to 20%",
                &["media_player.volume_set media_player.tv"],
                "Volume set",
            ),
            (None, "start Rover", &["vacuum.start vacuum.rover"], "Started"),
            (None, "vacuum the kitchen", &["vacuum.clean_area vacuum.rover"], "Cleaning Kitchen"),
            (None, "mow the lawn", &["lawn_mower.start_mowing lawn_mower.garden"], "Started"),
            (
                None,
                "add milk to my shopping list",
                &["todo.add_item todo.shopping_list"],
                "Added milk",
            ),
            (None, "what time is it", &[], "8:05 PM"),
            (None, "what's the date today", &[], "November 24th, 2026"),
            (None, "what's the weather?", &[], "8.5 °C and partly cloudy"),
            (None, "is the front door locked", &[], "No, unlocked"),
            (None, "are any lights on", &[], "Yes, Hall Light and Living Room Light"),
            (None, "how is the outdoor temperature", &[], "Outdoor temperature is 8.5 °C"),
            (None, "where is Anna", &[], "Anna is at home"),
            (None, "set a timer for 5 minutes", &[], "Timer set for 5 minutes"),
            (None, "cancel the pizza timer", &[], "Sorry, I couldn't find that timer"),
            (
                None,
                "dim the living room light to 10%",
                &["light.turn_on light.living_room"],
                "Brightness set",
            ),
            (None, "set a 10 minute pizza timer", &[], "Timer set for 10 minutes named pizza"),
            (
                None,
                "lock all the doors",
                &["lock.lock lock.front_door", "lock.lock lock.back_door"],
                "Locking",
            ),
            (
                None,
                "turn on the aquarium pump",
                &[],
                "Sorry, I am not aware of any device called aquarium pump",
            ),
            // Near the night light, another name of the lamp, but not near enough to be obeyed.
            (Some("kitchen"), "turn on the moon light", &[], "Did you mean the bedside lamp?"),
            (
                Some("kitchen"),
                "open the blinds",
                &["cover.open_cover cover.bedroom_blinds"],
                "Opening the blinds",
            ),
            (None, "set hall light to 50%", &[], "Sorry, Hall Light can't do that"),
            (
                None,
                "open the crate but don't break the glass",
                &[],
                "Sorry, I couldn't understand that",
            ),
            (
                None,
                "my grandmother lives in a small village",
                &[],
                "Sorry, I couldn't understand that",
            ),
        ],
    );
}

#[test]
fn chinese_sentences_act_and_are_answered() {
    check(
        "zh",
        &[
            (None, "打开厨房灯", &["light.turn_on light.kitchen"], "厨房灯已打开"),
            (None, "把走廊灯关了。", &["light.turn_off light.hall"], "走廊灯已关闭"),
            (
                None,
                "打开卧室的灯",
                &["light.turn_on light.bedroom", "light.turn_on light.bedside"],
                "卧室灯已打开",
            ),
            (None, "设置床头灯亮度为50", &["light.turn_on light.bedside"], "床头灯亮度已设置为50%"),
            (None, "把落地灯颜色设置为红色", &["light.turn_on light.reading_lamp"], "颜色已设置"),
            (None, "打开咖啡机", &["switch.turn_on switch.coffee_machine"], "咖啡机已打开"),
            (
                None,
                "把客厅窗帘关掉",
                &["cover.close_cover cover.living_room_curtains"],
                "客厅窗帘已关闭",
            ),
            (None, "打开车库门", &["cover.open_cover cover.garage_door"], "车库门已打开"),
            (None, "锁上前门", &["lock.lock lock.front_door"], "前门已上锁"),
            (
                None,
                "把空调的温度设置为26度",
                &["climate.set_temperature climate.living_room"],
                "好的，已把温度调到26度",
            ),
            (None, "打开吊扇", &["fan.turn_on fan.bedroom"], "吊扇已打开"),
            (None, "电视静音", &["media_player.volume_mute media_player.tv"], "好的，已静音"),
            (
                None,
                "启动观影模式",
                &[
                    "scene.turn_on scene.movie_night",
                    "light.turn_on light.living_room",
                    "light.turn_off light.reading_lamp",
                    "cover.close_cover cover.living_room_curtains",
                    "media_player.turn_on media_player.tv",
                ],
                "好的，已激活观影模式",
            ),
            (None, "清扫客厅", &["vacuum.clean_area vacuum.rover"], "好的，已开始清扫客厅"),
            (None, "现在几点了", &[], "晚上8点05分"),
            (None, "今天日期是几号", &[], "今天是2026年11月24日"),
            (None, "天气怎么样", &[], "现在8.5°C，多云"),
            (None, "走廊灯是开着的吗", &[], "是的"),
            (
                None,
                "在购物清单里记上苹果",
                &["todo.add_item todo.shopping_list"],
                "好的，已把苹果加入购物清单",
            ),
            (None, "设置一个30秒的计时器", &[], "好的，已开始计时"),
            (None, "请帮我打开空调。", &["climate.turn_on climate.living_room"], "空调已打开"),
            (
                Some("厨房"),
                "拉上窗帘",
                &["cover.close_cover cover.living_room_curtains"],
                "客厅窗帘已关闭",
            ),
            (
                None,
                "把卧室窗帘打开一半",
                &["cover.set_cover_position cover.bedroom_blinds"],
                "好的，已将卧室窗帘调到50%",
            ),
            (
                None,
                "把客厅灯调到百分之三十",
                &["light.turn_on light.living_room"],
                "客厅灯亮度已设置为30%",
            ),
            (None, "把床头灯调成蓝色", &["light.turn_on light.bedside"], "颜色已设置"),
            (
                None,
                "空调调到二十六度",
                &["climate.set_temperature climate.living_room"],
                "好的，已把温度调到26度",
            ),
            (
                None,
                "锁门",
                &["lock.lock lock.front_door", "lock.lock lock.back_door"],
                "所有门锁已上锁",
            ),
            (None, "车库门开着吗", &[], "不是，车库门现在关着"),
            (None, "安娜在家吗", &[], "是的"),
            (None, "今天天气怎么样", &[], "现在8.5°C，多云"),
            (None, "打开鱼缸水泵", &[], "抱歉，找不到名为 鱼缸水泵 的设备"),
            (None, "打开月亮灯", &[], "你是说落地灯吗？"),
            (None, "我奶奶住在一个小村子里", &[], "抱歉，我无法理解您的意思，你可以尝试换个说法"),
        ],
    );
}

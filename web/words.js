// The page's texts in English and Chinese, and how elements are made.

const texts = {
  en: {
    skip: 'Skip to talking', skip_captions: 'Skip to the captions', skip_content: 'Skip to the content', pages: 'Pages', page_home: 'Home', page_captions: 'Captions', page_health: 'Models and health', title_captions: 'Captions – Hearken', title_health: 'Models and health – Hearken', page_language: 'Language of the page',
    talk: 'Talk', listen: 'Talk', listening: 'Listening', stop: 'Stop the answer', hands_free: 'Hands-free: keep listening', typed: 'Or type a command', send: 'Send', conversation: 'Conversation',
    settings: 'Language, voice and place', spoken: 'I speak', either: 'English or Chinese', voice: 'Voice', usual_voices: 'The usual voices', place: 'I am in', nowhere: 'No room in particular',
    now_idle: 'Press the button, or hold the space bar, and speak.', now_idle_touch: 'Press the button and speak.', now_connecting: 'Connecting …', now_listening: 'Listening. Speak now.', now_hearing: 'I hear you …', now_thinking: 'Understanding …', now_speaking: 'Answering. Speak, or press Escape, to interrupt.', now_held: 'You speak, so I wait.', now_lost: 'The conversation was lost; trying again in {seconds} s.',
    no_microphone: 'The microphone cannot be used: {why}', no_secure: 'A browser gives the microphone only to pages from this machine (localhost) or over https. Typed commands work.', refused: 'The server does not take the conversation: {why}',
    home: 'The home', loading: 'Looking at the home …', elsewhere: 'Everywhere', empty: 'This home has no devices yet.',
    turn: 'What happened', turn_none: 'Say or type something: every step of it is shown here.', why: 'Why?', wrong: 'This was wrong', nothing_heard: '(nothing was said)', heard_only: 'heard until here: “{heard}”', by_itself: 'Hearken, by itself',
    line_lost: 'The connection to the server is lost. Trying again in {seconds} s …', line_back: 'Connected again.',
    token_title: 'A token is needed', token_why: 'This server lets in who shows a token. Whoever set it up has it (hearken serve --new-token).', token: 'Token', token_keep: 'Remember it in this browser', enter: 'Enter',
    cancel: 'Cancel', yes: 'Yes', close: 'Close', sure: 'Are you sure?', sure_what: '“{what}” of {device} is asked about before it is done.', failed: 'That did not work: {why}',
    on: 'on', off: 'off', open: 'open', closed: 'closed', opening: 'opening', closing: 'closing', locked: 'locked', unlocked: 'unlocked', unavailable: 'out of reach', unknown: 'unknown', playing: 'playing', paused: 'paused', idle: 'idle', docked: 'docked', cleaning: 'cleaning', returning: 'returning', mowing: 'mowing', heat: 'heating', cool: 'cooling', auto: 'automatic', home_state: 'at home', not_home: 'away', sunny: 'sunny', cloudy: 'cloudy', partlycloudy: 'partly cloudy', 'clear-night': 'clear', fog: 'foggy', windy: 'windy', snowy: 'snowy', pouring: 'pouring', rainy: 'rainy', disarmed: 'disarmed', armed_away: 'armed', armed_home: 'armed at home',
    turn_on: 'Turn on', turn_off: 'Turn off', do_open: 'Open', do_close: 'Close', do_lock: 'Lock', do_unlock: 'Unlock', do_run: 'Run', do_start: 'Start', do_dock: 'Dock', do_play: 'Play', do_pause: 'Pause', brightness: 'Brightness of {name}', position: 'Position of {name}', speed: 'Speed of {name}', volume: 'Volume of {name}', warmer: 'Warmer: {name}', cooler: 'Cooler: {name}', add: 'Add', add_to: 'Add to {name}', open_items: '{count} open',
    timer: 'Timer', timer_up: 'is up', timer_pause: 'Pause', timer_resume: 'Go on', timer_add: '+1 min', timer_cancel: 'Cancel',
    waterfall: 'Where the milliseconds went', endpoint_delay: 'end of speech decided', recognition: 'words', understanding: 'understood and done', first_audio: 'first sound', synthesis: 'whole answer spoken', page_first: 'heard on this page', total: 'from your last word to the first sound: {ms} ms', waterfall_typed: 'Typed words need no recognition.', recognition_work: 'Recognition took {ms} ms altogether; it begins in the first pause.',
    sound: 'What was heard', sound_key: 'Grey: loudness. Line: how surely it was speech. Green: the utterance. Dashed: a pause was judged. Red: decided that you had finished.', decision: 'finished after {ms} ms of silence', pause_words: '“{text}”', pause_complete: 'is a whole command', pause_open: 'lacks something', pause_unknown: 'may be all', pause_waits: 'wait {ms} ms of silence', pause_sounds: 'sounds finished: {part} %',
    again: 'Go through it again', again_play: 'Play what was heard', again_en: 'Recognise as English', again_zh: 'Recognise as Chinese', if_label: 'If a fixed silence had ended it', if_silence: 'After {ms} ms of silence it would have ended at {s} s.',
    hypotheses: 'Words that were considered', hyp: 'Words', score: 'Score', freely: 'heard freely', of_home: 'of this home', tried: 'tried after {ms} ms of sound', taken: 'taken',
    candidates: 'Meanings that were considered', meaning: 'Meaning', won: 'It won:', won_exact: 'the words fit a command of this home as they stand.', won_repaired: 'no command fits the words “{from}” as they stand; “{to}” sounds nearest (distance {cost}).', won_learned: 'you taught me that “{from}” means “{to}”.', won_asked: 'nothing was sure enough, so it was asked.', won_nothing: 'nothing fitted, not even by its sound.', won_only: 'No other meaning came near.',
    actions: 'What was done', device: 'Device', service: 'Service', changed: 'Changed', no_actions: 'No device was asked to do anything.', already: 'was so already', partials: 'While you spoke', problem: 'Problem',
    wrong_title: 'What was wrong?', wrong_words: 'The words', wrong_words_why: 'I said something else:', wrong_device: 'The device', wrong_device_why: 'By this name I mean another device:', wrong_name: 'The name that I use', wrong_intent: 'What was to be done', wrong_intent_why: 'With these words I mean:', wrong_action: 'Action', wrong_sentence: 'The command that I mean', check: 'Check', learn: 'Yes, learn this', will_name: 'From now on “{name}” is also {device}.', will_sentence: 'From now on “{said}” means “{meant}” ({intent}).', learned: 'Learned. Try it!', do_now: 'Do it now', wrong_tail: 'Nothing is learned before you agree; it can be forgotten again on the page “Models and health”.',
    act_on: 'turn on the {name}', act_off: 'turn off the {name}', act_open: 'open the {name}', act_close: 'close the {name}', act_lock: 'lock the {name}', act_unlock: 'unlock the {name}',
    captions_start: 'Start captions', captions_stop: 'Stop captions', caption_controls: 'Captions', larger: 'Larger', smaller: 'Smaller', full: 'Full screen', save_srt: 'Save SRT', save_vtt: 'Save VTT', clear: 'Clear', captions_none: 'What is said will stand here, large.', captions_hear: '…', aloud: 'Read a text aloud', aloud_text: 'The text', read: 'Read', hush: 'Stop reading',
    devices: 'Microphones and speakers here', devices_none: 'None is connected to this machine. The browser’s own works all the same.', microphone: 'Microphone', speaker: 'Speaker',
    health: 'Now', times: 'How long things take', troubles: 'Warnings and errors lately', troubles_none: 'None.', lessons: 'What the house has learned', lessons_none: 'Nothing yet. “This was wrong” beside a turn teaches it.', lesson_name: '“{name}” is also {entity}', lesson_sentence: '“{said}” means “{meant}”', forget: 'Forget', models: 'Models and voices',
    version: 'Version', up: 'Running for', pages_open: 'Pages open', connections: 'Connections', waiting: 'Utterances waiting', texts: 'Texts being spoken', turns: 'Turns', interruptions: 'Interrupted answers', failures: 'Failures', recogniser: 'Recogniser', alive: 'works', dead: 'has stopped', times_none: 'No turn yet.', seconds: '{n} s', voice_to_voice: 'last word to first sound', recognition_work2: 'recognition altogether',
    name: 'Name', kind: 'Kind', languages: 'Languages', licence: 'Licence', size: 'Size', state: 'State', used: 'in use', installed: 'here', hear: 'Hear', fetch: 'Fetch', fetching: 'fetching', converting: 'converting', sample: 'This is how I sound.',
  },
  zh: {
    skip: '跳到对话', skip_captions: '跳到字幕', skip_content: '跳到内容', pages: '页面', page_home: '首页', page_captions: '字幕', page_health: '模型与状态', title_captions: '字幕 – Hearken', title_health: '模型与状态 – Hearken', page_language: '页面语言',
    talk: '对话', listen: '说话', listening: '正在听', stop: '停止回答', hands_free: '免提：一直听', typed: '或者输入命令', send: '发送', conversation: '对话记录',
    settings: '语言、声音与位置', spoken: '我说', either: '中文或英文', voice: '声音', usual_voices: '默认声音', place: '我在', nowhere: '不指定房间',
    now_idle: '按下按钮，或按住空格键，然后说话。', now_idle_touch: '按下按钮，然后说话。', now_connecting: '正在连接……', now_listening: '正在听，请说话。', now_hearing: '听到了……', now_thinking: '正在理解……', now_speaking: '正在回答。直接说话或按 Esc 可以打断。', now_held: '您在说话，我等一等。', now_lost: '对话断开了，{seconds} 秒后重试。',
    no_microphone: '无法使用麦克风：{why}', no_secure: '浏览器只允许本机（localhost）或 https 页面使用麦克风。仍可输入命令。', refused: '服务器没有接受对话：{why}',
    home: '我的家', loading: '正在读取……', elsewhere: '全屋', empty: '这个家还没有设备。',
    turn: '发生了什么', turn_none: '说一句或输入一句，每一步都会显示在这里。', why: '为什么？', wrong: '这不对', nothing_heard: '（没有听到话）', heard_only: '听到这里为止：“{heard}”', by_itself: 'Hearken 主动说',
    line_lost: '与服务器的连接断开了，{seconds} 秒后重试……', line_back: '已重新连接。',
    token_title: '需要令牌', token_why: '这台服务器需要令牌才能进入。安装它的人有令牌（hearken serve --new-token）。', token: '令牌', token_keep: '在此浏览器中记住', enter: '进入',
    cancel: '取消', yes: '是', close: '关闭', sure: '确定吗？', sure_what: '对{device}执行“{what}”之前需要确认。', failed: '没有成功：{why}',
    on: '开', off: '关', open: '打开', closed: '关闭', opening: '正在打开', closing: '正在关闭', locked: '已锁', unlocked: '未锁', unavailable: '无法连接', unknown: '未知', playing: '播放中', paused: '已暂停', idle: '空闲', docked: '在充电座', cleaning: '清扫中', returning: '返回中', mowing: '割草中', heat: '制热', cool: '制冷', auto: '自动', home_state: '在家', not_home: '外出', sunny: '晴', cloudy: '阴', partlycloudy: '多云', 'clear-night': '晴夜', fog: '雾', windy: '有风', snowy: '雪', pouring: '大雨', rainy: '雨', disarmed: '已撤防', armed_away: '外出布防', armed_home: '在家布防',
    turn_on: '打开', turn_off: '关闭', do_open: '打开', do_close: '关闭', do_lock: '上锁', do_unlock: '开锁', do_run: '执行', do_start: '开始', do_dock: '回充', do_play: '播放', do_pause: '暂停', brightness: '{name}的亮度', position: '{name}的位置', speed: '{name}的风速', volume: '{name}的音量', warmer: '调高{name}', cooler: '调低{name}', add: '添加', add_to: '添加到{name}', open_items: '{count} 项未完成',
    timer: '计时器', timer_up: '时间到', timer_pause: '暂停', timer_resume: '继续', timer_add: '+1 分钟', timer_cancel: '取消',
    waterfall: '每一毫秒去了哪里', endpoint_delay: '判断说完', recognition: '识别', understanding: '理解并执行', first_audio: '第一声', synthesis: '说完整个回答', page_first: '本页听到', total: '从您说完到第一声：{ms} 毫秒', waterfall_typed: '输入的文字不需要识别。', recognition_work: '识别共用 {ms} 毫秒，从第一次停顿就开始。',
    sound: '听到的声音', sound_key: '灰色：响度。曲线：是人声的把握。绿色：这句话。虚线：判断了一次停顿。红线：判断您已说完。', decision: '静默 {ms} 毫秒后判断说完', pause_words: '“{text}”', pause_complete: '是完整的命令', pause_open: '还缺一点', pause_unknown: '可能说完了', pause_waits: '等待 {ms} 毫秒静默', pause_sounds: '听起来说完了：{part}%',
    again: '再来一遍', again_play: '播放听到的声音', again_en: '按英文识别', again_zh: '按中文识别', if_label: '如果用固定的静默时间判断', if_silence: '静默 {ms} 毫秒时，会在 {s} 秒处结束。',
    hypotheses: '考虑过的文字', hyp: '文字', score: '分数', freely: '自由听写', of_home: '家里的说法', tried: '听了 {ms} 毫秒后尝试', taken: '采用',
    candidates: '考虑过的意思', meaning: '意思', won: '采用的原因：', won_exact: '这句话与一个命令完全吻合。', won_repaired: '没有命令与“{from}”吻合；“{to}”听起来最接近（距离 {cost}）。', won_learned: '您教过我：“{from}”就是“{to}”。', won_asked: '没有足够的把握，所以反问。', won_nothing: '没有吻合的，读音也没有接近的。', won_only: '没有其他接近的意思。',
    actions: '做了什么', device: '设备', service: '服务', changed: '变化', no_actions: '没有让任何设备动作。', already: '本来就是', partials: '说话过程中', problem: '问题',
    wrong_title: '哪里不对？', wrong_words: '文字', wrong_words_why: '我说的其实是：', wrong_device: '设备', wrong_device_why: '这个名字我指的是另一个设备：', wrong_name: '我用的名字', wrong_intent: '要做的事', wrong_intent_why: '我这样说的意思是：', wrong_action: '动作', wrong_sentence: '我要的命令', check: '检查', learn: '是，学会它', will_name: '以后“{name}”也是{device}。', will_sentence: '以后“{said}”的意思是“{meant}”（{intent}）。', learned: '学会了，试试看！', do_now: '现在就做', wrong_tail: '您同意之前什么也不会学；以后可以在“模型与状态”页忘掉它。',
    act_on: '打开{name}', act_off: '关闭{name}', act_open: '打开{name}', act_close: '关上{name}', act_lock: '锁上{name}', act_unlock: '打开{name}的锁',
    captions_start: '开始字幕', captions_stop: '停止字幕', caption_controls: '字幕', larger: '放大', smaller: '缩小', full: '全屏', save_srt: '保存 SRT', save_vtt: '保存 VTT', clear: '清空', captions_none: '说的话会用大字显示在这里。', captions_hear: '……', aloud: '朗读文字', aloud_text: '文字', read: '朗读', hush: '停止朗读',
    devices: '这台机器的麦克风和扬声器', devices_none: '这台机器没有连接。浏览器自己的仍然可用。', microphone: '麦克风', speaker: '扬声器',
    health: '现在', times: '各步用时', troubles: '最近的警告与错误', troubles_none: '没有。', lessons: '学到的东西', lessons_none: '还没有。在某句话旁边按“这不对”就能教它。', lesson_name: '“{name}”也是 {entity}', lesson_sentence: '“{said}”的意思是“{meant}”', forget: '忘掉', models: '模型与声音',
    version: '版本', up: '已运行', pages_open: '打开的页面', connections: '连接', waiting: '等待识别', texts: '正在朗读', turns: '轮次', interruptions: '被打断的回答', failures: '失败', recogniser: '识别器', alive: '正常', dead: '已停止', times_none: '还没有对话。', seconds: '{n} 秒', voice_to_voice: '从说完到第一声', recognition_work2: '识别总用时',
    name: '名称', kind: '种类', languages: '语言', licence: '许可', size: '大小', state: '状态', used: '使用中', installed: '已有', hear: '试听', fetch: '下载', fetching: '下载中', converting: '转换中', sample: '我的声音是这样的。',
  },
};

// A telephone has no space bar.
if (matchMedia('(pointer: coarse)').matches) for (const own of Object.values(texts)) own.now_idle = own.now_idle_touch;

const KEY = 'hearken-language';
/** What was chosen here, or what the server made of the browser's Accept-Language. */
const wanted = () => [localStorage.getItem(KEY), document.documentElement.lang].find((tag) => tag in texts) ?? 'en';

/** The language of the page. */
export const language = wanted();

/** A text of the page, with `{names}` filled in. */
export function t(key, values = {}) {
  const text = texts[language][key] ?? texts.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** The word for a state, where there is one. */
export function word(state) {
  const key = state === 'home' ? 'home_state' : state;
  return texts[language][key] ?? state;
}

/** The name of a thing in the language of the page. */
export const named = (thing) => thing.names[language] || thing.names.en || Object.values(thing.names)[0] || thing.id;

/** An element with attributes and children; what begins with `on` is listened to. */
export function el(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const FOCUSABLE = 'button:not([hidden]), input, select, a[href]';
const ROWS = ['data-entity', 'data-timer', 'data-model'];

/** Draws a place anew. Whoever was in it with the keyboard stays at the same control, or the nearest that is left. */
export function keepFocus(place, draw) {
  const active = document.activeElement;
  const own = place.contains(active) ? ROWS.find((name) => active.closest(`[${name}]`)) : null;
  const row = own ? `[${own}="${CSS.escape(active.closest(`[${own}]`).getAttribute(own))}"]` : null;
  // A device draws itself, and is its own row.
  const inside = () => (row && !place.matches(row) && place.querySelector(row)) || place;
  const controls = () => [...inside().querySelectorAll(FOCUSABLE)];
  const at = place.contains(active) ? controls().indexOf(active) : -1;
  draw();
  if (at < 0 || (place.contains(active) && active.checkVisibility())) return;
  const now = controls();
  now[Math.min(at, now.length - 1)]?.focus({ preventScroll: true });
}

/** Writes the page's fixed texts, and lets another language be chosen. */
export function dressPage() {
  document.documentElement.lang = language;
  document.documentElement.classList.add('dressed');
  for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll('[data-t-label]')) node.setAttribute('aria-label', t(node.dataset.tLabel));
  const choice = document.getElementById('page-language');
  choice.value = language;
  choice.addEventListener('change', () => {
    localStorage.setItem(KEY, choice.value);
    location.reload();
  });
}

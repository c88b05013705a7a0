// "This was wrong": the words, the device or what was to be done. Learned only after a person agrees.
import { post } from '/net.js';
import { el, named, t } from '/words.js';

const ACTIONS = {
  light: ['on', 'off'], switch: ['on', 'off'], fan: ['on', 'off'], input_boolean: ['on', 'off'], media_player: ['on', 'off'], climate: ['on', 'off'],
  cover: ['open', 'close'], valve: ['open', 'close'], lock: ['lock', 'unlock'], scene: ['on'], script: ['on'], vacuum: ['on'],
};
const PHRASES = {
  en: { on: 'turn on the {}', off: 'turn off the {}', open: 'open the {}', close: 'close the {}', lock: 'lock the {}', unlock: 'unlock the {}' },
  zh: { on: '打开{}', off: '关闭{}', open: '打开{}', close: '关上{}', lock: '锁上{}', unlock: '打开{}' },
};
const WORDS = { on: 'turn_on', off: 'turn_off', open: 'do_open', close: 'do_close', lock: 'do_lock', unlock: 'do_unlock' };

/** The name in a sentence, as far as one can guess it: what is left of the command's usual words. */
function nameIn(turn) {
  const slot = turn.reply?.intent?.slots?.name;
  if (slot && !turn.reply.repaired) return slot;
  return turn.text.replace(/[.,!?。，！？]/g, '')
    .replace(/^(please )?(turn|switch) (on|off)( the| my)? |^(open|close|lock|unlock|start|stop|dim)( the| my)? /i, '')
    .replace(/^(请|帮我)*(打开|关闭|关掉|关上|开|关|锁上)/, '').trim();
}

/** Opens the dialog for a turn; `again(text, language)` does what was meant. */
export function correct(turn, { entities, area, again }) {
  const language = (turn.language || turn.reply?.language || 'en').slice(0, 2);
  const name = (entity) => entity.names[language] || named(entity);
  const things = entities.filter((entity) => !['sensor', 'binary_sensor', 'weather', 'person'].includes(entity.domain));
  const radio = (value, text, checked) => el('label', { class: 'check' }, el('input', { type: 'radio', name: 'what', value, checked }), el('span', {}, text));
  const choose = (id) => el('select', { id }, ...things.map((entity) => el('option', { value: entity.id }, name(entity))));

  const words = el('input', { id: 'wrong-text', value: turn.text, maxlength: 200, lang: language });
  const device = choose('wrong-which');
  const called = el('input', { id: 'wrong-name', value: nameIn(turn), maxlength: 200, lang: language });
  const thing = choose('wrong-thing');
  const action = el('select', { id: 'wrong-action' });
  const meant = el('input', { id: 'wrong-sentence', maxlength: 200, lang: language });
  const field = (text, input) => el('label', { class: 'field', for: input.id }, el('span', {}, text), input);
  const parts = {
    words: el('div', {}, field(t('wrong_words_why'), words)),
    device: el('div', {}, field(t('wrong_name'), called), field(t('wrong_device_why'), device)),
    intent: el('div', {}, field(t('device'), thing), field(t('wrong_action'), action), field(t('wrong_sentence'), meant)),
  };
  const suggest = () => {
    const entity = things.find((own) => own.id === thing.value);
    const all = ACTIONS[entity?.domain] ?? ['on'];
    const before = action.value;
    action.replaceChildren(...all.map((own) => el('option', { value: own }, t(WORDS[own]))));
    if (all.includes(before)) action.value = before;
    const phrase = (PHRASES[language] ?? PHRASES.en)[action.value];
    meant.value = entity ? phrase.replace('{}', name(entity)) : '';
  };
  thing.addEventListener('change', suggest);
  action.addEventListener('change', suggest);
  suggest();

  const proposal = el('div', { class: 'proposal', role: 'status', hidden: true });
  const agree = el('button', { type: 'button', class: 'lead', hidden: true, id: 'wrong-agree' }, t('learn'));
  const check = el('button', { type: 'submit', id: 'wrong-check' }, t('check'));
  const form = el('form', {},
    el('h2', { id: 'wrong-title' }, t('wrong_title')),
    el('p', { class: 'said' }, turn.text),
    el('fieldset', {}, el('legend', { class: 'hidden' }, t('wrong_title')), radio('words', t('wrong_words'), true), radio('device', t('wrong_device')), radio('intent', t('wrong_intent'))),
    ...Object.values(parts),
    proposal,
    el('p', { class: 'key' }, t('wrong_tail')),
    el('div', { class: 'end' }, el('button', { type: 'button', onclick: () => dialog.close() }, t('cancel')), check, agree));
  const dialog = el('dialog', { 'aria-labelledby': 'wrong-title', id: 'wrong' }, form);

  const kind = () => form.elements.what.value;
  const show = () => {
    for (const [own, part] of Object.entries(parts)) part.hidden = own !== kind();
    proposal.hidden = agree.hidden = true;
  };
  const lesson = () => {
    if (kind() === 'device') return { kind: 'name', entity: device.value, language, name: called.value.trim() };
    return { kind: 'sentence', language, said: turn.text, meant: (kind() === 'words' ? words : meant).value.trim() };
  };
  const body = () => ({ lesson: lesson(), ...(area ? { area } : {}) });
  const tell = (text, bad) => {
    proposal.textContent = text;
    proposal.classList.toggle('error', Boolean(bad));
    proposal.hidden = false;
  };
  form.addEventListener('change', show);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const found = await post('/api/lessons/check', body());
      const own = lesson();
      const slots = found.intent && Object.values(found.intent.slots).join(', ');
      tell(own.kind === 'name' ? t('will_name', { name: own.name, device: found.device }) : t('will_sentence', { ...own, intent: `${found.intent.name}: ${slots}` }));
      agree.hidden = false;
      agree.focus();
    } catch (error) {
      tell(t('failed', { why: error.message }), true);
      agree.hidden = true;
    }
  });
  agree.addEventListener('click', async () => {
    try {
      const own = lesson();
      await post('/api/lessons', body());
      tell(t('learned'));
      agree.hidden = check.hidden = true;
      const text = own.kind === 'name' ? turn.text : own.said;
      proposal.append(' ', el('button', { type: 'button', onclick: () => { dialog.close(); again(text, language); } }, t('do_now')));
    } catch (error) {
      tell(t('failed', { why: error.message }), true);
    }
  });
  dialog.addEventListener('close', () => dialog.remove());
  show();
  document.body.append(dialog);
  dialog.showModal();
}

// How the server is: sessions, times, troubles, lessons, models and voices.
import { Line, get, lineTeller, post, request } from '/net.js';
import { dressPage, el, keepFocus, language, svg, t } from '/words.js';

dressPage();
const $ = (id) => document.getElementById(id);

function span(seconds) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min']].map(([size, unit]) => {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    return count ? `${count} ${unit}` : '';
  });
  return parts.filter(Boolean).join(' ') || `${Math.floor(seconds)} s`;
}

async function health() {
  const now = await get('/api/health');
  const doors = Object.entries(now.connections).map(([door, count]) => `${door} ${count}`).join(', ') || '0';
  const facts = [
    ['version', now.version], ['up', span(now.up_seconds)], ['recogniser', t(now.recogniser_alive ? 'alive' : 'dead')], ['voice', t(now.voices_alive ? 'alive' : 'dead')],
    ['pages_open', now.pages], ['connections', doors], ['waiting', now.recognitions_waiting], ['texts', now.texts_waiting],
    ['turns', now.counts.turns ?? 0], ['interruptions', now.counts.interruptions ?? 0], ['failures', now.counts.failures ?? 0],
  ];
  $('facts').replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, t(name)), el('dd', {}, String(value))]));
  const order = ['voice_to_voice', 'endpoint_delay', 'recognition', 'recognition_work', 'understanding', 'first_audio'];
  $('times').replaceChildren(...order.filter((name) => now.times[name]).map((name) => histogram(name, now.times[name])));
  $('troubles').replaceChildren(now.troubles.length
    ? el('ul', {}, ...now.troubles.toReversed().slice(0, 20).map((one) => el('li', {}, el('time', {}, new Date(one.at * 1000).toLocaleTimeString(language)), ` ${one.level} `, el('code', {}, one.text))))
    : el('p', { class: 'quiet' }, t('troubles_none')));
}

function histogram(name, { ends, counts }) {
  const title = t(name === 'recognition_work' ? 'recognition_work2' : name);
  const own = counts.map((count, n) => count - (counts[n - 1] ?? 0));
  const all = counts.at(-1);
  if (!all) return el('div', {}, el('h3', {}, title), el('p', { class: 'quiet' }, t('times_none')));
  const top = Math.max(...own);
  const wide = 240 / own.length;
  const half = ends[counts.findIndex((count) => count >= all / 2)];
  const label = `${title}: n = ${all}, 50 % ≤ ${half ?? `> ${ends.at(-1)}`} s`;
  return el('div', {}, el('h3', {}, title),
    svg('svg', { class: 'picture', viewBox: '0 0 240 74', role: 'img', 'aria-label': label },
      ...own.map((count, n) => svg('rect', { class: 'bar2', x: n * wide + 1, width: wide - 2, y: 58 - (count / top) * 52, height: (count / top) * 52 })),
      svg('text', { x: 2, y: 71 }, `≤ ${ends[0]} s`), svg('text', { x: 238, y: 71, 'text-anchor': 'end' }, `> ${ends.at(-1)} s`)),
    el('p', { class: 'key' }, label));
}

async function lessons() {
  const { lessons: list } = await get('/api/lessons');
  const row = ({ id, lesson }) => el('li', {}, t(`lesson_${lesson.kind}`, lesson), ' ',
    el('button', { type: 'button', onclick: async () => { await post(`/api/lessons/${id}`, undefined, 'DELETE'); lessons(); } }, t('forget')));
  $('lessons').replaceChildren(list.length ? el('ul', {}, ...list.map(row)) : el('p', { class: 'quiet' }, t('lessons_none')));
}

/** What is connected to the machine of the server; the browser's own microphone is the browser's matter. */
async function devices() {
  const found = await get('/api/devices');
  const row = (kind, chosen) => ({ name, sample_rate: rate, default: usual }) => el('li', {}, `${t(kind)}: ${name}`,
    rate ? ` · ${rate} Hz` : '', chosen === name || (!chosen && usual) ? ' ' : '', chosen === name || (!chosen && usual) ? el('span', { class: 'badge good' }, t('used')) : '');
  const rows = [...found.microphones.map(row('microphone', found.input)), ...found.speakers.map(row('speaker', found.output))];
  const none = found.problem ?? t('devices_none');
  $('devices').replaceChildren(rows.length ? el('ul', {}, ...rows) : el('p', { class: 'quiet' }, none));
}

let audio = null;
const samples = { en: 'This is how I sound.', zh: '我的声音是这样的。', de: 'So klinge ich.', fr: 'Voici ma voix.', es: 'Así suena mi voz.', it: 'Questa è la mia voce.', ja: 'こんにちは。', pt: 'Esta é a minha voz.' };

async function hear(model, button) {
  button.disabled = true;
  try {
    audio ??= new AudioContext();
    await audio.resume();
    const input = samples[model.languages[0]?.slice(0, 2)] ?? samples.en;
    const answer = await request('/v1/audio/speech', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'tts-1', voice: model.id, input, response_format: 'wav' }) });
    const node = audio.createBufferSource();
    node.buffer = await audio.decodeAudioData(await answer.arrayBuffer());
    node.connect(audio.destination);
    node.start();
  } catch (error) {
    tell(error);
  }
  button.disabled = false;
}

function tell(error) {
  $('line').textContent = t('failed', { why: error.message });
  $('line').hidden = false;
}

const states = new Map();

async function models() {
  const { models: list } = await get('/api/models');
  const mb = (bytes) => (bytes > 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`);
  const order = (model) => (model.used ? 0 : model.installed ? 1 : 2);
  list.sort((a, b) => order(a) - order(b));
  const rows = list.map((model) => {
    const state = el('td', {});
    states.set(model.id, state);
    if (model.used) state.append(el('span', { class: 'badge good' }, t('used')));
    else if (model.installed) state.append(el('span', { class: 'badge' }, t('installed')));
    else {
      state.append(el('button', { type: 'button', 'aria-label': `${t('fetch')}: ${model.name}`, onclick: ({ currentTarget }) => {
        if (currentTarget.ariaDisabled) return;
        // Still there, for who came to it by keyboard.
        currentTarget.ariaDisabled = 'true';
        post(`/api/models/${model.id}/pull`).then(models).catch((error) => { tell(error); models(); });
      } }, t('fetch')));
    }
    const act = el('td', {});
    if (model.speaks) {
      const button = el('button', { type: 'button', 'aria-label': `${t('hear')}: ${model.name}`, onclick: () => hear(model, button) }, t('hear'));
      act.append(button);
    }
    return el('tr', { 'data-model': model.id }, el('th', { scope: 'row' }, model.name), el('td', {}, model.kind), el('td', {}, model.languages.join(', ')), el('td', {}, model.licence), el('td', { class: 'number' }, mb(model.bytes)), state, act);
  });
  const head = ['name', 'kind', 'languages', 'licence', 'size', 'state'].map((name) => el('th', { scope: 'col' }, t(name)));
  const table = el('table', {}, el('thead', {}, el('tr', {}, ...head, el('td', {}))), el('tbody', {}, ...rows));
  keepFocus($('models'), () => $('models').replaceChildren(el('div', { class: 'scroll' }, table)));
}

function pulled(news) {
  const state = states.get(news.id);
  if (!state) return;
  const button = state.querySelector('button');
  if (button) button.ariaDisabled = 'true';
  const step = news.step === 'fetching'
    ? el('progress', { max: news.total || false, value: news.total ? news.bytes : false, 'aria-label': t('fetching') })
    : el('span', { class: 'key' }, news.reason ?? t(news.step));
  [...state.childNodes].forEach((own) => own !== button && own.remove());
  state.append(step);
}

const line = lineTeller();
new Line('/api/live', (news) => { if (news.news === 'pull') pulled(news); }, line);
const look = () => health().catch(() => {});
look();
setInterval(() => { if (!document.hidden) look(); }, 2000);
lessons().catch(tell);
devices().catch(tell);
models().catch(tell);

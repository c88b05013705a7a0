// One turn, explained: where the time went, what was heard, what it may have meant, what was done.
import { request } from '/net.js';
import { el, svg, t } from '/words.js';

const PER_SECOND = 16000;
const ms = (value) => Math.round(value * 10) / 10;
const whole = (value) => (value < 10 ? ms(value) : Math.round(value));

/** Everything about a turn. */
export function explain(turn) {
  const parts = [heading(turn), waterfall(turn), sound(turn), hypotheses(turn), candidates(turn), actions(turn)];
  return el('div', { 'data-turn': turn.key }, ...parts.flat().filter(Boolean));
}

function heading(turn) {
  const parts = [el('p', { class: 'said' }, turn.text || (turn.text === '' ? t('nothing_heard') : t('by_itself')))];
  if (turn.reply?.text) parts.push(el('p', {}, turn.reply.text));
  if (turn.error) parts.push(el('p', { class: 'error' }, `${t('problem')}: ${turn.error}`));
  return parts;
}

function waterfall(turn) {
  const times = turn.times;
  if (!times) return null;
  const typed = !times.recognition_work;
  const steps = [['endpoint_delay', 'bar1'], ['recognition', 'bar2'], ['understanding', 'bar3'], ['first_audio', 'bar4']]
    .filter(([name]) => times[name] != null && !(typed && (name === 'endpoint_delay' || name === 'recognition')))
    .map(([name, look]) => ({ name, look, ms: times[name] }));
  let at = 0;
  for (const step of steps) {
    step.from = at;
    at += step.ms;
  }
  const spoken = times.synthesis != null && times.synthesis > (times.first_audio ?? 0);
  if (spoken) steps.push({ name: 'synthesis', look: 'bar5', from: at, ms: times.synthesis - (times.first_audio ?? 0), total: times.synthesis });
  if (turn.pageFirst != null && turn.pageFirst > 0) {
    const before = typed ? 0 : times.endpoint_delay + times.recognition;
    steps.push({ name: 'page_first', look: 'bar4', from: before, ms: turn.pageFirst });
  }
  const end = Math.max(1, ...steps.map((step) => step.from + step.ms));
  const scale = 236 / end;
  const rows = steps.map((step, row) => {
    const y = 6 + row * 24;
    return [
      svg('text', { x: 4, y: y + 13 }, t(step.name)),
      svg('rect', { class: step.look, x: 142 + step.from * scale, y: y + 2, width: Math.max(1.5, step.ms * scale), height: 14, rx: 2, 'data-step': step.name, 'data-ms': ms(step.ms) }),
      svg('text', { x: 436, y: y + 13, 'text-anchor': 'end' }, `${whole(step.total ?? step.ms)} ms`),
    ];
  });
  const label = steps.map((step) => `${t(step.name)} ${whole(step.total ?? step.ms)} ms`).join(', ');
  return [
    el('h3', {}, t('waterfall')),
    svg('svg', { class: 'picture waterfall', viewBox: `0 0 440 ${steps.length * 24 + 10}`, role: 'img', 'aria-label': label }, ...rows.flat()),
    el('p', { class: 'key' }, typed ? t('waterfall_typed') : [times.voice_to_voice != null && t('total', { ms: whole(times.voice_to_voice) }), t('recognition_work', { ms: whole(times.recognition_work) })].filter(Boolean).join(' ')),
  ];
}

function sound(turn) {
  const seen = turn.explained;
  if (!seen?.vad.length) return null;
  const [wide, high] = [440, 110];
  const count = seen.vad.length;
  const x = (sample) => ((sample - seen.from) / (count * seen.frame)) * wide;
  const wave = seen.levels.map((level, n) => {
    const half = Math.sqrt(level / 255) * (high / 2 - 8);
    const at = ((n + 0.5) / seen.levels.length) * wide;
    return `M${at.toFixed(1)} ${(high / 2 - half).toFixed(1)}V${(high / 2 + half).toFixed(1)}`;
  }).join('');
  const line = (values) => values.map((value, n) => `${n ? 'L' : 'M'}${((n + 0.5) / count * wide).toFixed(1)} ${(high - 6 - (value / 255) * (high - 12)).toFixed(1)}`).join('');
  const waited = Math.round((seen.decided - seen.stopped) / PER_SECOND * 1000);
  const children = [
    svg('rect', { class: 'spoken', x: x(seen.started), y: 0, width: Math.max(0, x(seen.stopped) - x(seen.started)), height: high }),
    svg('path', { class: 'wave', d: wave }),
    svg('path', { class: 'raw', d: line(seen.vad) }),
    svg('path', { class: 'vad', d: line(seen.worth) }),
    ...seen.pauses.map((pause) => svg('line', { class: 'pause', x1: x(pause.at), x2: x(pause.at), y1: 0, y2: high })),
    svg('line', { class: 'decision', x1: Math.min(wide - 1, x(seen.decided)), x2: Math.min(wide - 1, x(seen.decided)), y1: 0, y2: high }),
  ];
  const pauses = seen.pauses.map((pause) => {
    const words = [t('pause_words', { text: pause.text }), t(`pause_${pause.words}`), pause.sounds != null && t('pause_sounds', { part: Math.round(pause.sounds * 100) }), t('pause_waits', { ms: pause.silence_ms })];
    return el('li', {}, `${((pause.at - seen.started) / PER_SECOND).toFixed(2)} s: ${words.filter(Boolean).join(', ')}`);
  });
  return [
    el('h3', {}, t('sound')),
    svg('svg', { class: 'picture sound', viewBox: `0 0 ${wide} ${high}`, role: 'img', 'aria-label': t('decision', { ms: waited }) }, ...children),
    el('p', { class: 'key' }, `${t('sound_key')} ${t('decision', { ms: waited })}.`),
    pauses.length ? el('ul', {}, ...pauses) : null,
    again(turn, x, high),
  ];
}

/** A turn gone through again: by ear, with another silence, in another language. Nothing is done in the home. */
function again(turn, x, high) {
  const seen = turn.explained;
  const told = el('span', { role: 'status' });
  const silence = el('input', { type: 'range', min: 100, max: 2000, step: 50, value: 600, id: 'silence' });
  const line = svg('line', { class: 'what-if', y1: 0, y2: high });
  silence.addEventListener('input', () => {
    const frame = seen.frame / 16;
    let [quiet, began, end] = [0, false, null];
    seen.worth.forEach((worth, n) => {
      began ||= worth >= 128;
      quiet = worth >= 128 ? 0 : quiet + frame;
      if (began && end === null && quiet >= silence.value) end = seen.from + (n + 1) * seen.frame;
    });
    silence.closest('[data-turn]').querySelector('.sound').append(line);
    // Past the decision the silence went on, as far as anybody knows.
    end ??= seen.stopped + silence.value * 16;
    for (const name of ['x1', 'x2']) line.setAttribute(name, x(end));
    told.textContent = t('if_silence', { ms: silence.value, s: ((end - seen.started) / PER_SECOND).toFixed(2) });
  });
  const words = (language, text) => el('button', { type: 'button', onclick: async () => {
    told.textContent = '…';
    const form = new FormData();
    form.set('model', 'whisper-1');
    form.set('response_format', 'json');
    if (language) form.set('language', language);
    form.set('file', wav(turn.sound), 'turn.wav');
    try {
      const heard = await (await request('/v1/audio/transcriptions', { method: 'POST', body: form })).json();
      told.textContent = `${text}: “${heard.text.trim()}”`;
    } catch (error) {
      told.textContent = t('failed', { why: error.message });
    }
  } }, text);
  const buttons = turn.sound ? [
    el('button', { type: 'button', onclick: () => hear(turn.sound) }, t('again_play')),
    words('en', t('again_en')), words('zh', t('again_zh')),
  ] : [];
  return el('details', { class: 'again' }, el('summary', {}, t('again')),
    el('div', { class: 'bar' }, ...buttons),
    el('label', { for: 'silence' }, t('if_label')), silence, el('p', {}, told));
}

/** Samples as a WAV file. */
function wav(samples) {
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, own) => [...own].forEach((c, n) => head.setUint8(at + n, c.charCodeAt(0)));
  text(0, 'RIFF'); text(8, 'WAVEfmt '); text(36, 'data');
  [[4, 36 + samples.byteLength], [16, 16], [24, PER_SECOND], [28, 2 * PER_SECOND], [40, samples.byteLength]].forEach(([at, value]) => head.setUint32(at, value, true));
  [[20, 1], [22, 1], [32, 2], [34, 16]].forEach(([at, value]) => head.setUint16(at, value, true));
  return new Blob([head, samples], { type: 'audio/wav' });
}

function hear(samples) {
  const context = new AudioContext();
  const buffer = context.createBuffer(1, samples.length, PER_SECOND);
  buffer.copyToChannel(Float32Array.from(samples, (value) => value / 32768), 0);
  const node = context.createBufferSource();
  node.buffer = buffer;
  node.connect(context.destination);
  node.onended = () => context.close();
  node.start();
}

function table(heads, rows) {
  return el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...rows)));
}

function hypotheses(turn) {
  const tried = turn.explained?.recognised ?? [];
  if (!turn.text || !(tried.length || turn.readings?.length)) return null;
  const row = (text, from, score, won) => el('tr', { class: won ? 'won' : '' }, el('td', {}, text || t('nothing_heard')), el('td', { class: 'from' }, from), el('td', { class: 'number' }, score));
  const rows = [];
  for (const one of tried) {
    rows.push(row(one.text, t('tried', { ms: Math.round(one.samples / 16) }), one.avg_logprob == null ? '' : one.avg_logprob.toFixed(2), one.text === turn.text));
  }
  if (turn.heardFreely) rows.push(row(turn.heardFreely, t('freely'), turn.avg.toFixed(2)));
  for (const reading of turn.readings ?? []) {
    rows.push(row(reading.text, t('of_home'), `${Math.round(reading.confidence * 100)} %`, reading.text === turn.text));
  }
  return [el('h3', {}, t('hypotheses')), table([t('hyp'), '', t('score')], rows)];
}

const slots = (values) => Object.entries(values ?? {}).map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`).join(' ');

function candidates(turn) {
  const reply = turn.reply;
  if (!reply || turn.text === null) return null;
  const row = (text, intent, values, score, won) => el('tr', { class: won ? 'won' : '' }, el('td', {}, text), el('td', {}, el('code', {}, `${intent} ${slots(values)}`)), el('td', { class: 'number' }, score.toFixed(3)));
  const commands = reply.commands ?? [];
  const rows = commands.map((own) => row(own.text, own.intent, own.slots, own.score, true));
  if (!commands.length && reply.intent) rows.push(row(turn.text, reply.intent.name, reply.intent.slots, reply.score, true));
  for (const other of reply.alternatives ?? []) rows.push(row(other.text, other.intent, other.slots, other.score));
  const repaired = reply.repaired;
  const why = [];
  if (['not_sure', 'confirm', 'missing', 'duplicate_entities'].includes(reply.error)) why.push(t('won_asked'));
  else if (!reply.intent) why.push(t('won_nothing'));
  else if (repaired?.cost === 0) why.push(t('won_learned', repaired));
  else if (repaired) why.push(t('won_repaired', { ...repaired, cost: repaired.cost.toFixed(2) }));
  else why.push(t('won_exact'));
  if (reply.intent && !reply.alternatives?.length && !reply.error) why.push(t('won_only'));
  return [
    el('h3', {}, t('candidates')),
    rows.length ? table([t('hyp'), t('meaning'), t('score')], rows) : null,
    el('p', { class: 'why' }, reply.intent && !reply.error ? `${t('won')} ${why.join(' ')}` : why.join(' ')),
    reply.error ? el('p', { class: 'quiet' }, `${t('problem')}: ${reply.error}`) : null,
  ];
}

function actions(turn) {
  const done = turn.reply?.actions;
  if (!done || turn.text === null) return null;
  const change = ([name, { from, to }]) => `${name} ${from ?? '–'} → ${to ?? '–'}`;
  const rows = done.map((action) => el('tr', {},
    el('td', {}, el('code', {}, action.entity)),
    el('td', {}, el('code', {}, `${action.service} ${slots(action.data)}`)),
    el('td', {}, Object.entries(action.changes).map(change).join(', ') || t('already'))));
  return [el('h3', {}, t('actions')), rows.length ? table([t('device'), t('service'), t('changed')], rows) : el('p', { class: 'quiet' }, t('no_actions'))];
}

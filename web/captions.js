// Captions of everything that is said, and a text read aloud.
import { get, open, request, whyRefused } from '/net.js';
import { dressPage, el, language, t } from '/words.js';
import { Microphone, canHear } from '/sound.js';

dressPage();
const $ = (id) => document.getElementById(id);
const box = $('captions');
const said = [];
let microphone = null;
let socket = null;
let wanted = false;
let tries = 0;
let size = Number(localStorage.getItem('hearken-size') ?? 2);

function resize(by) {
  size = Math.max(0, Math.min(4, size + by));
  localStorage.setItem('hearken-size', size);
  box.className = `size${size}`;
  box.scrollTop = box.scrollHeight;
}
resize(0);

// --- hearing ----------------------------------------------------------------------------------------

const began = () => performance.timeOrigin + performance.now();
let zero = null;

function connect() {
  const parameters = { encoding: 'linear16', sample_rate: 16000, language: $('spoken').value, interim_results: true, vad_events: true };
  const own = socket = open('/v1/listen', parameters);
  let opened = false;
  let base = 0;
  own.onopen = () => {
    opened = true;
    tries = 0;
    zero ??= began();
    base = (began() - zero) / 1000;
    line('');
  };
  own.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'SpeechStarted') pending(true);
    if (message.type !== 'Results') return;
    const text = message.channel.alternatives[0].transcript.trim();
    if (!message.is_final) pending(true, text);
    else {
      pending(false);
      if (text) caption({ text, start: base + message.start, end: base + message.start + message.duration });
    }
  };
  own.onclose = async ({ reason }) => {
    if (own !== socket || !wanted) return;
    const why = opened ? reason : await whyRefused('/v1/listen', parameters);
    if (why && !opened) {
      line(t('refused', { why }));
      return stop();
    }
    const wait = Math.min(15000, 500 * 2 ** tries++);
    line(t('line_lost', { seconds: Math.ceil(wait / 1000) }));
    setTimeout(() => { if (wanted && own === socket) connect(); }, wait);
  };
}

function line(text) {
  $('line').textContent = text;
  $('line').hidden = !text;
}

async function start() {
  if (!canHear()) return line(t('no_secure'));
  wanted = true;
  pressed();
  microphone = new Microphone();
  try {
    // Also what comes from a loudspeaker is to be read.
    await microphone.start((piece) => { if (socket?.readyState === WebSocket.OPEN) socket.send(piece); }, { echo: false });
    connect();
  } catch (error) {
    line(t('no_microphone', { why: error.message }));
    stop();
  }
}

function stop() {
  wanted = false;
  microphone?.stop();
  microphone = null;
  if (socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ type: 'CloseStream' }));
  }
  pressed();
}

function pressed() {
  $('start').setAttribute('aria-pressed', wanted);
  $('start-word').textContent = t(wanted ? 'captions_stop' : 'captions_start');
}

let hint = null;
function pending(on, text) {
  hint?.remove();
  hint = on ? el('p', { class: 'loose', 'aria-hidden': 'true' }, text || t('captions_hear')) : null;
  if (hint) add(hint);
}

function add(node) {
  if (box.querySelector('.quiet')) box.replaceChildren();
  box.append(node);
  if (box.children.length > 500) box.firstElementChild.remove();
  box.scrollTop = box.scrollHeight;
}

function caption(one) {
  said.push(one);
  for (const old of box.querySelectorAll('p:not(.old)')) old.className = 'old';
  add(el('p', {}, one.text));
}

// --- saving -----------------------------------------------------------------------------------------

function stamp(seconds, comma) {
  const two = (n, width = 2) => String(Math.floor(n)).padStart(width, '0');
  const ms = Math.round(seconds * 1000);
  return `${two(ms / 3600000)}:${two(ms / 60000 % 60)}:${two(ms / 1000 % 60)}${comma}${two(ms % 1000, 3)}`;
}

/** The captions as a file's text. */
function subtitles(kind) {
  const comma = kind === 'srt' ? ',' : '.';
  const cues = said.map(({ text, start, end }, n) => `${kind === 'srt' ? `${n + 1}\n` : ''}${stamp(start, comma)} --> ${stamp(Math.max(end, start + 0.5), comma)}\n${text}\n`);
  return `${kind === 'vtt' ? 'WEBVTT\n\n' : ''}${cues.join('\n')}`;
}

function save(kind) {
  const url = URL.createObjectURL(new Blob([subtitles(kind)], { type: kind === 'vtt' ? 'text/vtt' : 'application/x-subrip' }));
  const link = el('a', { href: url, download: `captions.${kind}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const acts = {
  start: () => (wanted ? stop() : start()),
  larger: () => resize(1),
  smaller: () => resize(-1),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : box.requestFullscreen()),
  srt: () => save('srt'),
  vtt: () => save('vtt'),
  clear: () => { said.length = 0; zero = wanted ? began() : null; box.replaceChildren(); },
};
for (const [id, act] of Object.entries(acts)) $(id).addEventListener('click', act);
const keys = { l: 'start', '+': 'larger', '=': 'larger', '-': 'smaller', f: 'full', s: 'srt', v: 'vtt', x: 'clear' };
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest('input, textarea, select')) return;
  const act = keys[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  acts[act]();
});
addEventListener('pagehide', () => { if (wanted) stop(); });
$('spoken').addEventListener('change', () => { if (wanted) { socket?.close(); connect(); } });

// --- reading aloud ----------------------------------------------------------------------------------

let reading = 0;
let context = null;

/** Sentences, so that the first one sounds soon. */
const sentences = (text) => [...new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)].map(({ segment }) => segment).filter((one) => one.trim());
/** Words, each with how long it takes compared with the others: by its letters, as nobody tells. */
function words(text) {
  const parts = [...new Intl.Segmenter(language, { granularity: 'word' }).segment(text)];
  return parts.map(({ segment, isWordLike }) => ({ text: segment, isWord: isWordLike, weight: isWordLike ? (/[\u3400-\u9fff]/.test(segment) ? 3 * segment.length : 1.5 + segment.length) : (/[.,;:!?。，；：！？]/.test(segment) ? 3 : 0.3) }));
}

async function read() {
  const own = ++reading;
  context ??= new AudioContext();
  await context.resume();
  $('hush').hidden = false;
  const all = sentences($('text').value);
  const fetchSound = async (input) => {
    const answer = await request('/v1/audio/speech', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'tts-1', voice: $('voice').value, input, response_format: 'wav' }) });
    return context.decodeAudioData(await answer.arrayBuffer());
  };
  const place = $('reading');
  const parts = all.map(words);
  const nodes = parts.map((list) => list.map((word) => el('span', {}, word.text)));
  place.replaceChildren(...nodes.flat());
  try {
    let next = all.length ? fetchSound(all[0]) : null;
    for (let n = 0; n < all.length && own === reading; n++) {
      const sound = await next;
      next = n + 1 < all.length ? fetchSound(all[n + 1]) : null;
      if (own === reading) await play(sound, parts[n], nodes[n], () => own !== reading);
    }
  } catch (error) {
    line(t('failed', { why: error.message }));
  }
  if (own === reading) hush();
}

function play(sound, list, nodes, stopped) {
  return new Promise((done) => {
    const node = context.createBufferSource();
    node.buffer = sound;
    node.connect(context.destination);
    const total = list.reduce((sum, word) => sum + word.weight, 0);
    const start = context.currentTime;
    let marked = null;
    const timer = setInterval(() => {
      if (stopped()) return node.stop();
      let at = (context.currentTime - start) / sound.duration * total;
      const now = list.findIndex((word) => (at -= word.weight) < 0);
      if (now < 0 || !list[now].isWord || nodes[now] === marked) return;
      unmark(marked);
      marked = nodes[now];
      marked.replaceChildren(el('mark', {}, list[now].text));
    }, 30);
    node.onended = () => {
      clearInterval(timer);
      unmark(marked);
      done();
    };
    node.start();
  });
}

function unmark(node) {
  if (node) node.replaceChildren(node.textContent);
}

function hush() {
  reading++;
  $('hush').hidden = true;
}
$('read').addEventListener('click', read);
$('hush').addEventListener('click', hush);

get('/v1/audio/voices').then(({ voices }) => {
  $('voice').append(...voices.map((voice) => el('option', { value: voice.id }, `${voice.name} (${voice.languages.join(', ')})`)));
}).catch(() => {});

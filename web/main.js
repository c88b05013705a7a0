// The first page: talking, the home, and what happened in each turn.
import { Line, get, lineTeller } from '/net.js';
import { dressPage, el, language, named, t } from '/words.js';
import { Conversation } from '/talk.js';
import { Home } from '/home.js';
import { explain } from '/turns.js';
import { correct } from '/wrong.js';

dressPage();
const $ = (id) => document.getElementById(id);
const home = new Home();
const rows = new Map();
let shown = null;
let follow = true;
let newest = null;

// --- the home ---------------------------------------------------------------------------------------

home.onareas = (areas) => {
  const place = $('place');
  const before = place.value || localStorage.getItem('hearken-place') || '';
  place.replaceChildren(place.options[0], ...areas.map((area) => el('option', { value: area.id }, named(area))));
  place.value = areas.some((area) => area.id === before) ? before : '';
};
new Line('/api/live', (news) => home.hear(news), lineTeller());

// --- talking ----------------------------------------------------------------------------------------

const settings = () => ({ language: $('spoken').value, voice: $('voice').value, area: $('place').value });
const talk = new Conversation(settings, (what, value) => {
  if (what === 'state') {
    if ($('now').textContent !== value) $('now').textContent = value;
    document.body.dataset.state = talk?.state ?? 'idle';
    $('stop').hidden = !talk?.player.speaking;
  } else if (what === 'listening') {
    $('listen').setAttribute('aria-pressed', value);
    $('listen-word').textContent = t(value ? 'listening' : 'listen');
    if (!value) $('hands-free').checked = false;
  } else if (what === 'level') levels.push(value);
  else if (what === 'turn') draw(value);
});

const listen = $('listen');
listen.addEventListener('click', () => {
  if (talk.listening) talk.release(); else talk.listen('once');
});
$('hands-free').addEventListener('change', ({ target }) => {
  if (target.checked) talk.listen('free'); else talk.release();
});
$('stop').addEventListener('click', () => talk.interrupt());

// Held on the button the space bar is the same as anywhere; tapped it is a click.
let holding = false;
let pressed = 0;
const TAP_MS = 350;
const busy = (target) => target.closest('input, textarea, select, button, a, summary, dialog, [contenteditable]');
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && talk.player.speaking) talk.interrupt();
  if (event.code !== 'Space' || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (busy(event.target) && (event.target !== listen || talk.listening)) return;
  event.preventDefault();
  if (talk.listening) return;
  pressed = event.target === listen ? Date.now() : 0;
  holding = true;
  talk.listen('held');
});
addEventListener('keyup', (event) => {
  if (event.code !== 'Space' || !holding) return;
  event.preventDefault();
  holding = false;
  if (Date.now() - pressed < TAP_MS) talk.kind = 'once'; else talk.release();
});
addEventListener('pagehide', () => {
  talk.silence();
  talk.hangUp();
});
addEventListener('blur', () => {
  if (holding) talk.release();
  holding = false;
});

$('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('typed').value.trim();
  if (!text) return;
  $('typed').value = '';
  talk.ask(text, $('spoken').value);
});

for (const [id, key] of [['spoken', 'hearken-spoken'], ['voice', 'hearken-voice'], ['place', 'hearken-place']]) {
  $(id).addEventListener('change', ({ target }) => {
    localStorage.setItem(key, target.value);
    talk.hangUp();
  });
}
$('spoken').value = localStorage.getItem('hearken-spoken') ?? '';

get('/v1/audio/voices').then(({ voices }) => {
  const rank = (voice) => (voice.languages.some((tag) => tag.startsWith(language)) ? 0 : 1);
  voices.sort((a, b) => rank(a) - rank(b));
  $('voice').append(...voices.map((voice) => el('option', { value: voice.id }, `${voice.name} (${voice.languages.join(', ')})`)));
  const before = localStorage.getItem('hearken-voice');
  if (voices.some((voice) => voice.id === before)) $('voice').value = before;
}).catch(() => {});

// --- levels: what comes in, and what the analyser says goes out ------------------------------------

const levels = { list: [], push(samples) {
  let top = 0;
  for (const sample of samples) top = Math.max(top, Math.abs(sample));
  this.list.push({ level: top / 32768, out: false });
} };
const canvas = $('levels').getContext('2d');
setInterval(() => {
  if (talk.player.speaking && !talk.player.held) levels.list.push({ level: talk.player.level ?? 0, out: true });
  if (!levels.list.length) return;
  levels.list.splice(0, Math.max(0, levels.list.length - 120));
  const style = getComputedStyle(document.documentElement);
  canvas.clearRect(0, 0, 240, 32);
  levels.list.forEach(({ level, out }, n) => {
    canvas.fillStyle = style.getPropertyValue(out ? '--bar4' : '--bar2');
    const high = Math.max(1, Math.sqrt(level) * 32);
    canvas.fillRect(n * 2, 16 - high / 2, 1.5, high);
  });
  document.body.dataset.loudest = talk.player.loudest.toFixed(3);
}, 50);

// --- the conversation's log -------------------------------------------------------------------------

function draw(turn) {
  if (turn.text === '' && !rows.has(turn.key) && !turn.error) return;
  if (!rows.has(turn.key)) {
    const row = {
      said: el('p', { class: 'said' }), reply: el('p', { class: 'reply' }), note: el('p', { class: 'quiet' }), links: el('div', { class: 'links' }),
    };
    row.said.id = `said-${turn.key}`;
    row.node = el('div', { class: 'turn', 'data-turn': turn.key }, row.said, row.reply, row.note, row.links);
    rows.set(turn.key, row);
    $('log').prepend(row.node);
    if (rows.size > 60) {
      const [old] = rows.keys();
      rows.get(old).node.remove();
      rows.delete(old);
    }
  }
  const row = rows.get(turn.key);
  const partial = turn.partials.at(-1);
  if (turn.text === null && partial) {
    const stable = partial.text.startsWith(partial.stable) ? partial.stable : '';
    row.node.dataset.partial = partial.text;
    // Words that may still change are not read out.
    row.said.ariaHidden = 'true';
    row.said.replaceChildren(stable, el('span', { class: 'loose' }, partial.text.slice(stable.length)));
  } else {
    row.said.ariaHidden = null;
    row.said.textContent = turn.text || (turn.text === '' ? t('nothing_heard') : turn.reply ? t('by_itself') : '…');
  }
  row.said.lang = turn.language ?? '';
  row.reply.textContent = turn.reply?.text ?? '';
  row.reply.lang = turn.reply?.language ?? '';
  row.note.textContent = turn.error ?? (turn.heard?.interrupted ? t('heard_only', { heard: turn.heard.heard }) : '');
  row.note.className = turn.error ? 'error' : 'quiet';
  if (turn.text && !row.links.children.length && (turn.reply || turn.times)) {
    row.links.append(
      el('button', { type: 'button', 'aria-describedby': row.said.id, onclick: () => { follow = false; show(turn, true); } }, t('why')),
      el('button', { type: 'button', class: 'wrong', 'aria-describedby': row.said.id, onclick: () => correct(turn, { entities: home.entities, area: settings().area, again: (text, spoken) => talk.ask(text, spoken) }) }, t('wrong')));
  }
  const latest = [...rows.keys()].at(-1) === turn.key;
  // A new turn is shown; what comes late of one takes nobody away from another.
  if (latest && turn.text && newest !== turn.key) {
    newest = turn.key;
    follow = true;
  }
  if (turn.key === shown || (follow && latest && turn.text !== null)) show(turn);
}

function show(turn, go) {
  const open = shown === turn.key && document.querySelector('.again')?.open;
  shown = turn.key;
  for (const [key, row] of rows) row.node.classList.toggle('shown', key === shown);
  $('explained').replaceChildren(explain(turn));
  if (open) document.querySelector('.again')?.setAttribute('open', '');
  if (go) $('turn').scrollIntoView({ block: 'start' });
}

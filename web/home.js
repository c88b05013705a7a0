// The home: areas, devices, timers and lists, as they are at every moment, with controls that act.
import { post } from '/net.js';
import { el, keepFocus, language, named, t, word } from '/words.js';

const TOGGLES = ['light', 'switch', 'fan', 'input_boolean', 'siren', 'humidifier', 'automation', 'remote', 'water_heater', 'climate'];
const LIT_MS = 2600;

const percent = (part) => `${Math.round(part)} %`;

/** Asks first where the house does, then does it. Says what went wrong. */
async function call(entity, service, data = {}, agreed = false) {
  try {
    const done = await post('/api/home/call', { entity: entity.id, service, data, agreed });
    if (done.ask && await sure(entity, service)) await call(entity, service, data, true);
  } catch (error) {
    say(t('failed', { why: error.message }));
  }
}

function say(text) {
  const place = document.getElementById('now');
  if (place) place.textContent = text;
}

function sure(entity, service) {
  return new Promise((done) => {
    const verbs = { unlock: 'do_unlock', lock: 'do_lock', open_cover: 'do_open', open_valve: 'do_open', turn_on: 'turn_on', turn_off: 'turn_off' };
    const verb = service.split('.')[1];
    const dialog = el('dialog', { 'aria-labelledby': 'sure' },
      el('form', { method: 'dialog' },
        el('h2', { id: 'sure' }, t('sure')),
        el('p', {}, t('sure_what', { what: verbs[verb] ? t(verbs[verb]) : verb, device: named(entity) })),
        el('div', { class: 'end' },
          el('button', { value: 'no' }, t('cancel')),
          el('button', { value: 'yes', class: 'lead' }, t('yes')))));
    dialog.addEventListener('close', () => {
      dialog.remove();
      done(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** What stands under a device's name. */
function stateWords(entity) {
  const { state, attributes: a, domain } = entity;
  if (domain === 'todo') return t('open_items', { count: state });
  if (domain === 'scene' || domain === 'script' || domain === 'button' || domain === 'input_button') return '';
  const words = [word(state) + (a.unit_of_measurement ? ` ${a.unit_of_measurement}` : '')];
  if (domain === 'light' && state === 'on' && a.brightness != null) words.push(percent(a.brightness / 2.55));
  if (a.color_name && state === 'on') words.push(a.color_name);
  if (a.current_position != null && a.current_position !== 0 && a.current_position !== 100) words.push(percent(a.current_position));
  if (domain === 'climate') {
    if (a.current_temperature != null) words.push(`${a.current_temperature}°`);
    if (a.temperature != null) words.push(`→ ${a.temperature}°`);
  }
  if (domain === 'fan' && state === 'on' && a.percentage != null) words.push(percent(a.percentage));
  if (domain === 'media_player' && a.media_title) words.push(a.media_title);
  if (domain === 'weather' && a.temperature != null) words.push(`${a.temperature}°`);
  return words.join(' · ');
}

const isOn = (entity) => !['off', 'closed', 'locked', 'unavailable', 'unknown', 'idle', 'docked', 'standby', 'disarmed'].includes(entity.state);

/** One device: its row, and what brings it up to date. */
class Device {
  constructor(entity) {
    this.entity = entity;
    this.state = el('span', { class: 'state' });
    this.controls = el('div', { class: 'controls' });
    this.more = el('div', { class: 'more' });
    this.node = el('div', { class: 'device', 'data-entity': entity.id },
      el('div', { class: 'name' }, named(entity), this.state), this.controls, this.more);
    this.parts = [];
    this.build();
    this.update();
  }

  add(place, node, update = () => {}) {
    place.append(node);
    this.parts.push(update);
    return node;
  }

  button(text, service, { place = this.controls, label, data, when } = {}) {
    const node = el('button', { type: 'button', 'aria-label': label ?? `${text}: ${named(this.entity)}`, onclick: () => call(this.entity, service, data?.(this.entity) ?? {}) }, text);
    this.add(place, node, (own) => { node.hidden = when ? !when(own) : false; });
  }

  slider(label, value, send, { min = 0, max = 100, step = 1, when = () => true } = {}) {
    const node = el('input', { type: 'range', min, max, step, 'aria-label': label });
    node.addEventListener('change', () => call(this.entity, ...send(Number(node.value))));
    this.add(this.more, node, (own) => {
      node.hidden = !when(own);
      if (document.activeElement !== node || !node.matches(':active')) node.value = value(own) ?? min;
    });
  }

  build() {
    const { entity } = this;
    const { domain, can } = entity;
    const name = named(entity);
    if (TOGGLES.includes(domain)) {
      const node = el('button', { type: 'button', role: 'switch', class: 'switch', 'aria-label': name });
      node.addEventListener('click', () => call(this.entity, `${domain}.turn_${isOn(this.entity) ? 'off' : 'on'}`));
      this.add(this.controls, node, (own) => {
        node.setAttribute('aria-checked', isOn(own));
        node.disabled = own.state === 'unavailable';
      });
    }
    if (domain === 'light' && can.includes('brightness')) {
      // Always there: what comes and goes moves the rest from under the finger.
      this.slider(t('brightness', { name }), (own) => (own.state === 'on' ? Math.round((own.attributes.brightness ?? 255) / 2.55) : 0),
        (value) => (value ? ['light.turn_on', { brightness_pct: value }] : ['light.turn_off', {}]));
    }
    if (domain === 'fan' && can.includes('speed')) {
      this.slider(t('speed', { name }), (own) => (own.state === 'on' ? own.attributes.percentage ?? 100 : 0),
        (value) => (value ? ['fan.set_percentage', { percentage: value }] : ['fan.turn_off', {}]));
    }
    if (domain === 'cover' || domain === 'valve') {
      this.button(t('do_open'), `${domain}.open_${domain}`, { when: (own) => own.state !== 'open' || (own.attributes.current_position ?? 100) < 100 });
      this.button(t('do_close'), `${domain}.close_${domain}`, { when: (own) => own.state !== 'closed' });
      if (can.includes('position')) {
        this.slider(t('position', { name }), (own) => own.attributes.current_position ?? (own.state === 'open' ? 100 : 0),
          (value) => [`${domain}.set_${domain}_position`, { position: value }]);
      }
    }
    if (domain === 'lock') {
      this.button(t('do_lock'), 'lock.lock', { when: (own) => own.state !== 'locked' });
      this.button(t('do_unlock'), 'lock.unlock', { when: (own) => own.state === 'locked' });
    }
    if (domain === 'climate' && can.includes('temperature')) {
      const by = (step) => (own) => ({ temperature: Math.round((Number(own.attributes.temperature ?? 20) + step) * 2) / 2 });
      this.button('−', 'climate.set_temperature', { place: this.more, label: t('cooler', { name }), data: by(-0.5) });
      this.button('+', 'climate.set_temperature', { place: this.more, label: t('warmer', { name }), data: by(0.5) });
    }
    if (domain === 'media_player') {
      this.button(t('do_play'), 'media_player.media_play', { when: (own) => own.state !== 'playing' });
      this.button(t('do_pause'), 'media_player.media_pause', { when: (own) => own.state === 'playing' });
      if (can.includes('volume')) {
        this.slider(t('volume', { name }), (own) => (own.attributes.volume_level ?? 0.5) * 100, (value) => ['media_player.volume_set', { volume_level: value / 100 }], { when: isOn });
      }
    }
    if (domain === 'vacuum') {
      this.button(t('do_start'), 'vacuum.start', { when: (own) => own.state !== 'cleaning' });
      this.button(t('do_dock'), 'vacuum.return_to_base', { when: (own) => own.state !== 'docked' });
    }
    if (domain === 'lawn_mower') {
      this.button(t('do_start'), 'lawn_mower.start_mowing', { when: (own) => own.state !== 'mowing' });
      this.button(t('do_dock'), 'lawn_mower.dock', { when: (own) => own.state !== 'docked' });
    }
    if (domain === 'scene' || domain === 'script') this.button(t('do_run'), `${domain}.turn_on`);
    if (domain === 'button' || domain === 'input_button') this.button(t('do_run'), `${domain}.press`);
    if (domain === 'todo') this.list(name);
  }

  list(name) {
    const list = el('ul', { class: 'items' });
    const input = el('input', { 'aria-label': t('add_to', { name }), maxlength: 200 });
    const form = el('form', {}, input, el('button', {}, t('add')));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const item = input.value.trim();
      if (item) call(this.entity, 'todo.add_item', { item });
      input.value = '';
    });
    this.add(this.more, list, (own) => {
      const items = own.attributes.items ?? [];
      list.replaceChildren(...items.map((item) => {
        const box = el('input', { type: 'checkbox' });
        box.checked = item.status === 'completed';
        box.addEventListener('change', () => call(this.entity, 'todo.update_item', { item: item.summary, status: box.checked ? 'completed' : 'needs_action' }));
        return el('li', { class: box.checked ? 'done' : '' }, el('label', {}, box, el('span', {}, item.summary)));
      }));
    });
    this.more.append(form);
  }

  update() {
    this.state.textContent = stateWords(this.entity);
    this.node.classList.toggle('on', isOn(this.entity) && !['sensor', 'weather', 'person', 'todo', 'scene', 'script'].includes(this.entity.domain));
    this.node.dataset.state = this.entity.state;
    keepFocus(this.node, () => this.parts.forEach((update) => update(this.entity)));
  }

  /** Takes a new state, and lights up. News of what this page knows already is no news. */
  change({ state, attributes }) {
    if (!differs(this.entity, { state, attributes })) return;
    Object.assign(this.entity, { state, attributes });
    this.update();
    light(this.node);
  }
}

const differs = (old, now) => old.state !== now.state || JSON.stringify(old.attributes) !== JSON.stringify(now.attributes);

function light(node) {
  node.classList.remove('lit');
  void node.offsetWidth;
  node.classList.add('lit');
  setTimeout(() => node.classList.remove('lit'), LIT_MS);
}

/** A beep for a timer that is up. */
function beep() {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.gain.value = 0.12;
  gain.connect(context.destination);
  for (const at of [0, 0.35, 0.7]) {
    const tone = context.createOscillator();
    tone.frequency.value = 880;
    tone.connect(gain);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.2);
  }
  setTimeout(() => context.close(), 2000);
}

const clock = (seconds) => {
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:` : ''}${hours ? two(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
};

/** The home on the page. */
export class Home {
  constructor() {
    this.devices = new Map();
    this.areas = [];
    this.timers = [];
    setInterval(() => this.count(), 250);
  }

  hear(news) {
    if (news.news === 'home') this.whole(news);
    else if (news.news === 'changed') {
      for (const one of news.entities) this.devices.get(one.id)?.change(one);
      if (news.timers) this.takeTimers(news.timers);
    }
  }

  get entities() {
    return [...this.devices.values()].map((device) => device.entity);
  }

  whole(news) {
    const before = this.devices;
    this.devices = new Map(news.entities.map((entity) => [entity.id, new Device(entity)]));
    this.areas = news.areas;
    const places = [...news.areas, { id: null, names: { [language]: t('elsewhere') } }];
    const nodes = places.map((area) => {
      const inside = [...this.devices.values()].filter(({ entity }) => (news.areas.some((own) => own.id === entity.area) ? entity.area : null) === area.id);
      if (!inside.length) return null;
      return el('div', { class: 'area', role: 'group', 'aria-label': named(area) }, el('h3', {}, named(area)), ...inside.map((device) => device.node));
    }).filter(Boolean);
    const place = document.getElementById('areas');
    keepFocus(place, () => place.replaceChildren(...(nodes.length ? nodes : [el('p', { class: 'quiet' }, t('empty'))])));
    // After a lost connection: what changed meanwhile.
    for (const [id, device] of this.devices) {
      const old = before.get(id)?.entity;
      if (old && differs(old, device.entity)) light(device.node);
    }
    this.takeTimers(news.timers);
    this.onareas?.(news.areas);
  }

  takeTimers(timers) {
    const now = performance.now();
    const before = new Map(this.timers.map((timer) => [timer.id, timer]));
    for (const old of this.timers) {
      const gone = !timers.some((timer) => timer.id === old.id);
      if (gone && old.active && this.left(old) <= 1) this.ring(old);
    }
    this.timers = timers.map((timer) => ({ ...timer, until: now + timer.left * 1000, rung: before.get(timer.id)?.rung }));
    const rows = this.timers.map((timer) => {
      const area = this.areas.find((own) => own.id === timer.area);
      const change = (what, more = {}) => async () => {
        try { await post('/api/home/timer', { id: timer.id, do: what, ...more }); } catch (error) { say(t('failed', { why: error.message })); }
      };
      const button = (text, act) => el('button', { type: 'button', onclick: act, 'aria-label': `${text}: ${timer.name ?? t('timer')}` }, text);
      timer.time = el('time', { role: 'timer' });
      timer.node = el('div', { class: before.has(timer.id) ? 'timer' : 'timer lit', 'data-timer': timer.id },
        el('span', { class: 'name' }, [timer.name ?? t('timer'), area && named(area)].filter(Boolean).join(' · ')), timer.time,
        timer.active ? button(t('timer_pause'), change('pause')) : button(t('timer_resume'), change('resume')),
        button(t('timer_add'), change('add', { seconds: 60 })), button(t('timer_cancel'), change('cancel')));
      return timer.node;
    });
    const place = document.getElementById('timers');
    keepFocus(place, () => place.replaceChildren(...rows));
    this.count();
  }

  left(timer) {
    return timer.active ? Math.max(0, Math.ceil((timer.until - performance.now()) / 1000)) : timer.left;
  }

  ring(timer) {
    if (timer.rung) return;
    timer.rung = true;
    beep();
    say(`${timer.name ?? t('timer')}: ${t('timer_up')}`);
  }

  count() {
    for (const timer of this.timers) {
      const left = this.left(timer);
      timer.time.textContent = clock(left);
      timer.node.classList.toggle('up', left === 0);
      if (left === 0 && timer.active) this.ring(timer);
    }
  }
}

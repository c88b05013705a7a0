// The way to the server: requests, sockets that come back by themselves, and the token where one is needed.
import { t, el } from '/words.js';

const KEY = 'hearken-token';
let token = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? '';
let asking = null;

/** Asks for the token once, however many requests wait for it. */
function askForToken() {
  asking ??= new Promise((done) => {
    const input = el('input', { id: 'token', type: 'password', autocomplete: 'off', required: true });
    const keep = el('input', { type: 'checkbox' });
    const dialog = el('dialog', { 'aria-labelledby': 'token-title' },
      el('form', { method: 'dialog' },
        el('h2', { id: 'token-title' }, t('token_title')),
        el('p', {}, t('token_why')),
        el('label', { for: 'token' }, t('token')), input,
        el('label', { class: 'check' }, keep, el('span', {}, t('token_keep'))),
        el('div', { class: 'end' }, el('button', { type: 'submit' }, t('enter')))));
    dialog.addEventListener('close', () => {
      token = input.value.trim();
      sessionStorage.setItem(KEY, token);
      if (keep.checked) localStorage.setItem(KEY, token); else localStorage.removeItem(KEY);
      dialog.remove();
      asking = null;
      done();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

/** A request; the answer's error, if any, is thrown in the server's words. */
export async function request(path, options = {}) {
  for (;;) {
    const headers = { ...options.headers };
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(path, { ...options, headers });
    if (answer.status === 401) {
      await askForToken();
      continue;
    }
    if (answer.ok) return answer;
    const body = await answer.json().catch(() => null);
    throw new Error(body?.error?.message ?? `${answer.status} ${answer.statusText}`);
  }
}

export async function get(path) {
  return (await request(path)).json();
}

export async function post(path, value, method = 'POST') {
  const body = value === undefined ? undefined : JSON.stringify(value);
  return (await request(path, { method, body, headers: { 'content-type': 'application/json' } })).json();
}

/** A socket. A browser cannot show a token in a header, so it stands among the sub-protocols. */
export function open(path, parameters = {}) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  const offered = token ? ['hearken', `openai-insecure-api-key.${token}`] : ['hearken'];
  const socket = new WebSocket(url, offered);
  socket.binaryType = 'arraybuffer';
  return socket;
}

/** A socket's refusal has no words for the page; a request to the same server has. */
export async function whyRefused(path, parameters = {}) {
  try {
    await request('/v1/models');
  } catch (error) {
    return error.message;
  }
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  try {
    await request(url);
  } catch (error) {
    // Without an upgrade it is always refused; only other reasons count.
    return /upgrade|header/i.test(error.message) ? '' : error.message;
  }
  return '';
}

/** A connection that comes back by itself: after 0.5 s, then twice as long each time, up to 15 s. */
export class Line {
  constructor(path, hear, tell) {
    Object.assign(this, { path, hear, tell, tries: 0, timer: 0 });
    addEventListener('online', () => this.again(0));
    // A browser keeps a page that one leaves, with its sockets, for who goes back.
    addEventListener('pagehide', () => this.leave());
    addEventListener('pageshow', ({ persisted }) => { if (persisted) this.connect(); });
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    let opened = false;
    const socket = this.socket = open(this.path);
    socket.onopen = () => {
      opened = true;
      this.tries = 0;
      this.tell('open');
    };
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    socket.onclose = async () => {
      if (socket !== this.socket) return;
      if (!opened) await whyRefused(this.path);
      this.again(Math.min(15000, 500 * 2 ** this.tries++));
    };
  }

  leave() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  again(wait) {
    if (this.socket?.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.timer);
    const until = Date.now() + wait;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left <= 0) return this.connect();
      this.tell('lost', left);
      this.timer = setTimeout(tick, 250);
    };
    tick();
  }
}

/** Says what the connection does, above the page. */
export function lineTeller() {
  const place = document.getElementById('line');
  let lost = false;
  return (what, seconds) => {
    if (what === 'lost') {
      lost = true;
      const text = t('line_lost', { seconds });
      if (place.textContent !== text) place.textContent = text;
      place.hidden = false;
    } else if (lost) {
      lost = false;
      place.textContent = t('line_back');
      setTimeout(() => { if (!lost) place.hidden = true; }, 2500);
    }
  };
}

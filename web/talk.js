// The conversation: one socket, the microphone into it, events and the answer's sound out of it.
import { open, whyRefused } from '/net.js';
import { Microphone, Player, canHear } from '/sound.js';
import { t } from '/words.js';

/** Sound after the last word when a key is let go, so that the server decides at once. */
const TAIL_MS = 2200;
/** A socket that nobody uses is closed after so long. */
const UNUSED_MS = 5 * 60 * 1000;
/** Sound that the page itself remembers, in pieces of 20 ms, and the turns whose sound it keeps. */
const REMEMBERED = 45 * 50;
const KEPT = 10;
/** After so long without a word the microphone goes off again. */
const SILENT_MS = 12000;
/** How often the words so far are asked for. */
const PARTIAL_MS = 700;

/**
 * Tells `tell(what, turn)` of everything: `state`, `turn` (something about a turn is new), `level`.
 */
export class Conversation {
  constructor(settings, tell) {
    Object.assign(this, { settings, tell, turns: new Map(), session: 0, listening: null, state: 'idle', used: 0, tries: 0, waiting: [] });
    this.player = new Player((turn, ms, done) => {
      this.send({ type: 'played', turn, ms: Math.round(ms), done });
      if (done) this.heardAll();
    });
    setInterval(() => this.mind(), 20000);
    setInterval(() => {
      const quiet = this.kind === 'once' && this.listening && !this.hearing && !this.expecting && !this.player.speaking;
      if (quiet && Date.now() - this.spokeAt > SILENT_MS) this.release();
    }, 1000);
  }

  become(state, values) {
    this.state = state;
    this.tell('state', t(`now_${state}`, values));
  }

  /** The state that follows from everything. */
  settle() {
    if (this.player.held) this.become('held');
    else if (this.player.speaking) this.become('speaking');
    else if (this.listening) this.become(this.hearing ? 'hearing' : 'listening');
    else this.become(this.expecting ? 'thinking' : 'idle');
  }

  /** The turn with this number in the conversation that lasts. */
  turn(number) {
    const key = `${this.session}.${number}`;
    if (!this.turns.has(key)) {
      this.turns.set(key, { key, number, began: Date.now(), partials: [], text: null, reply: null, explained: null, times: null, heard: null, error: null });
      if (this.turns.size > 100) this.turns.delete(this.turns.keys().next().value);
    }
    return this.turns.get(key);
  }

  // --- the socket ---------------------------------------------------------------------------------

  connect() {
    this.ready ??= new Promise((done, fail) => {
      const { language, voice, area } = this.settings();
      const parameters = { rate: 16000, output_rate: 24000, played: true, explain: true, partial_ms: PARTIAL_MS, language, voice, area };
      if (!this.listening) this.become('connecting');
      const socket = this.socket = open('/v1/stream', parameters);
      let opened = false;
      socket.onmessage = ({ data }) => {
        if (typeof data !== 'string') return this.sound(data);
        const event = JSON.parse(data);
        if (event.event === 'ready') {
          opened = true;
          this.session++;
          this.tries = 0;
          this.rate = event.output_rate;
          this.player.reset();
          Object.assign(this, { sent: [], gone: 0 });
          done();
          this.settle();
        } else this.hear(event);
      };
      socket.onclose = async ({ reason }) => {
        if (socket !== this.socket) return;
        this.ready = this.socket = null;
        this.hearing = this.expecting = false;
        this.player.reset();
        if (!opened) {
          const why = await whyRefused('/v1/stream', parameters);
          fail(new Error(why || reason || t('line_lost', { seconds: '…' })));
        } else if (this.listening) this.again();
        else this.settle();
      };
    });
    this.used = Date.now();
    return this.ready;
  }

  /** Comes back while somebody wants to talk: later and later, and says so. */
  again() {
    const until = Date.now() + Math.min(15000, 500 * 2 ** this.tries++);
    const tick = () => {
      if (!this.listening || this.ready) return;
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left <= 0) return this.connect().catch(() => this.listening && this.again());
      this.become('lost', { seconds: left });
      setTimeout(tick, 250);
    };
    tick();
  }

  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (message instanceof ArrayBuffer) {
      this.sent.push(message);
      if (this.sent.length > REMEMBERED) this.gone += this.sent.shift().byteLength / 2;
    }
    this.socket.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
  }

  /** The sound of a turn, for who wants to hear it again: it stays in this page. */
  keepSound(turn) {
    const { from, decided } = turn.explained;
    const all = new Int16Array(Math.max(0, decided - from));
    let at = this.gone - from;
    for (const piece of this.sent) {
      const samples = new Int16Array(piece);
      const own = samples.subarray(Math.max(0, -at), Math.max(0, all.length - at));
      if (at + samples.length > 0 && at < all.length) all.set(own, Math.max(0, at));
      at += samples.length;
    }
    turn.sound = all;
    [...this.turns.values()].filter((own) => own.sound).slice(0, -KEPT).forEach((own) => { own.sound = null; });
  }

  /** Keeps the socket while it is used, and gives it back when it is not. */
  mind() {
    if (this.listening) this.used = Date.now();
    if (Date.now() - this.used < UNUSED_MS) this.send({ type: 'ping' });
    else this.hangUp();
  }

  /** Ends the conversation; the next word begins another, with the settings as they are then. */
  hangUp() {
    const socket = this.socket;
    this.ready = this.socket = null;
    this.player.reset();
    socket?.close();
    if (this.listening && this.kind !== 'held') this.connect().catch((error) => this.fail(error));
  }

  fail(error) {
    this.silence();
    this.expecting = false;
    this.become('idle');
    this.tell('state', t('refused', { why: error.message }));
  }

  // --- speaking -----------------------------------------------------------------------------------

  /**
   * Listens: `once` until the answer was heard, `free` until told otherwise, `held` while a key is down.
   */
  async listen(kind) {
    if (this.listening) {
      this.kind = kind;
      return;
    }
    if (!canHear()) return this.tell('state', t('no_secure'));
    this.kind = kind;
    this.spokeAt = Date.now();
    const microphone = this.listening = new Microphone();
    const early = [];
    let take = (piece) => early.push(piece);
    this.tell('listening', true);
    this.become('connecting');
    try {
      await this.player.wake();
      await Promise.all([microphone.start((piece) => take(piece)), this.connect()]);
    } catch (error) {
      microphone.stop();
      if (this.listening === microphone) {
        this.listening = null;
        this.tell('listening', false);
      }
      if (error instanceof DOMException) this.tell('state', t('no_microphone', { why: error.message }));
      else this.fail(error);
      return;
    }
    // Words from before the socket stood are not lost.
    take = (piece) => {
      this.tell('level', new Int16Array(piece));
      this.send(piece);
    };
    early.forEach(take);
    if (this.listening !== microphone) {
      // Let go before everything stood.
      microphone.stop();
      return this.tail();
    }
    this.settle();
  }

  /** Stops the microphone; what was said is still answered. */
  silence() {
    if (!this.listening) return;
    this.listening.stop();
    this.listening = null;
    this.hearing = false;
    this.tell('listening', false);
  }

  /** A key is let go: all was said. */
  release() {
    if (!this.listening) return;
    this.silence();
    this.tail();
  }

  tail() {
    this.expecting = Boolean(this.socket);
    for (let ms = 0; ms < TAIL_MS; ms += 100) this.send(new ArrayBuffer(3200));
    this.settle();
    // It may have been nothing.
    setTimeout(() => { this.expecting = false; if (this.state === 'thinking') this.settle(); }, 8000);
  }

  /** Typed words. */
  async ask(text, language) {
    try {
      await this.player.wake();
      await this.connect();
    } catch (error) {
      return this.fail(error);
    }
    this.used = Date.now();
    this.expecting = true;
    this.send({ type: 'ask', text, ...(language ? { language } : {}) });
    this.settle();
  }

  /** Stops the answer. */
  interrupt() {
    this.send({ type: 'interrupt' });
  }

  // --- hearing ------------------------------------------------------------------------------------

  hear(event) {
    const turn = event.turn === undefined ? null : this.turn(event.turn);
    switch (event.event) {
      case 'speech_started':
        this.hearing = true;
        this.spokeAt = Date.now();
        break;
      case 'speech_stopped':
        this.hearing = false;
        this.expecting = true;
        break;
      case 'partial':
        turn.partials.push({ text: event.text, stable: event.stable });
        break;
      case 'final':
        this.expecting = Boolean(event.text);
        Object.assign(turn, { text: event.text, language: event.language, heardFreely: event.heard, readings: event.readings ?? [], avg: event.avg_logprob, finalAt: performance.now() });
        break;
      case 'explained':
        turn.explained = event;
        this.keepSound(turn);
        break;
      case 'reply_text':
        turn.reply = event;
        this.expecting = false;
        break;
      case 'speech':
        this.next = event;
        if (event.samples === 0) this.sound(new ArrayBuffer(0));
        return;
      case 'playback_held': this.player.hold(event.turn); break;
      case 'playback_resumed': this.player.resume(); break;
      case 'playback_stopped': this.player.drop(event.turn); break;
      case 'playback_finished':
        turn.heard = event;
        this.heardAll();
        break;
      case 'failed':
        turn.error = `${event.stage}: ${event.error}`;
        this.expecting = false;
        break;
      case 'turn_finished':
        turn.times = event.timeline_ms;
        this.expecting = false;
        this.heardAll();
        break;
      case 'error': this.tell('state', event.error); return;
      default: return;
    }
    this.settle();
    if (turn) this.tell('turn', turn);
  }

  sound(bytes) {
    const { turn: number, last } = this.next ?? {};
    if (number === undefined) return;
    this.player.push(number, new Int16Array(bytes), this.rate, last);
    const turn = this.turn(number);
    if (turn.pageFirst === undefined && this.player.turn === number && this.player.first && turn.finalAt) {
      turn.pageFirst = this.player.first - turn.finalAt;
    }
    this.settle();
  }

  /** After one exchange the microphone goes off again, unless something was asked back. */
  heardAll() {
    const last = [...this.turns.values()].at(-1);
    const asked = ['confirm', 'not_sure', 'missing', 'duplicate_entities'].includes(last?.reply?.error);
    const finished = last?.times && !this.player.speaking && !this.hearing && last.text;
    if (this.kind === 'once' && this.listening && finished && !asked) this.silence();
    this.settle();
  }
}

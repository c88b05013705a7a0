// Microphone and loudspeaker of the page.

/** Whether the browser gives this page a microphone at all. */
export const canHear = () => Boolean(navigator.mediaDevices?.getUserMedia) && 'AudioWorkletNode' in window;

/** The microphone: 16 kHz, 16 bit, 20 ms at a time. */
export class Microphone {
  async start(take, { echo = true } = {}) {
    const audio = { echoCancellation: echo, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.context = new AudioContext({ latencyHint: 'interactive' });
    await this.context.audioWorklet.addModule('/worklet.js');
    const source = this.context.createMediaStreamSource(this.stream);
    this.node = new AudioWorkletNode(this.context, 'microphone', { numberOfInputs: 1, numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => take(data);
    source.connect(this.node);
    await this.context.resume();
  }

  stop() {
    if (this.node) this.node.port.onmessage = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = this.node = null;
  }
}

const FADE = 0.008;

/** Plays answers as they come, and knows how much of them was heard. */
export class Player {
  /** `report(turn, ms, done)` is told how far an answer is. */
  constructor(report) {
    Object.assign(this, { report, turn: null, pieces: [], over: new Set(), held: false, loudest: 0 });
  }

  /** To be called from a click or a key: browsers let nobody make a noise otherwise. */
  async wake() {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: 'interactive' });
      this.gain = this.context.createGain();
      this.analyser = this.context.createAnalyser();
      this.analyser.fftSize = 512;
      this.gain.connect(this.analyser).connect(this.context.destination);
      this.wave = new Float32Array(this.analyser.fftSize);
      setInterval(() => this.look(), 50);
    }
    if (!this.held) await this.context.resume();
  }

  get speaking() {
    return this.turn !== null;
  }

  /** A piece of the answer of a turn: 16 bit samples. Without any, the answer just ends. */
  push(turn, samples, rate, last) {
    if (!this.context || this.over.has(turn)) return;
    if (this.turn !== turn) this.begin(turn);
    if (samples.length) {
      const buffer = this.context.createBuffer(1, samples.length, rate);
      buffer.copyToChannel(Float32Array.from(samples, (value) => value / 32768), 0);
      const node = this.context.createBufferSource();
      node.buffer = buffer;
      node.connect(this.gain);
      const before = this.pieces.at(-1);
      const start = Math.max(this.context.currentTime + (before ? 0 : 0.02), before ? before.start + before.length : 0);
      node.start(start);
      this.pieces.push({ node, start, length: buffer.duration });
      this.first ??= performance.now() + (start - this.context.currentTime) * 1000;
    }
    this.last ||= last;
  }

  begin(turn) {
    if (this.turn !== null) this.drop(this.turn);
    Object.assign(this, { turn, pieces: [], last: false, told: 0, first: null });
    this.gain.gain.cancelScheduledValues(0);
    this.gain.gain.value = 1;
  }

  /** How much of the answer was heard, in milliseconds. */
  played() {
    const now = this.context.currentTime - (this.context.outputLatency || 0);
    const part = (piece) => Math.max(0, Math.min(piece.length, now - piece.start));
    return this.pieces.reduce((sum, piece) => sum + part(piece), 0) * 1000;
  }

  look() {
    this.analyser.getFloatTimeDomainData(this.wave);
    this.level = Math.max(...this.wave.map(Math.abs));
    this.loudest = Math.max(this.loudest, this.level);
    if (this.turn === null || this.held) return;
    const end = this.pieces.at(-1);
    const over = this.last && (!end || this.context.currentTime - (this.context.outputLatency || 0) >= end.start + end.length);
    const ms = this.played();
    if (over) this.finish(ms);
    else if (ms - this.told >= 200) {
      this.told = ms;
      this.report(this.turn, ms, false);
    }
  }

  finish(ms) {
    const turn = this.turn;
    this.over.add(turn);
    Object.assign(this, { turn: null, pieces: [] });
    this.report(turn, ms, true);
  }

  /** Fades out and keeps the rest. */
  hold(turn) {
    if (turn !== this.turn || this.held) return;
    this.held = true;
    this.gain.gain.setTargetAtTime(0, this.context.currentTime, FADE / 3);
    setTimeout(() => { if (this.held) this.context.suspend(); }, 3 * FADE * 1000);
  }

  resume() {
    if (!this.held) return;
    this.held = false;
    this.context.resume();
    this.gain.gain.cancelScheduledValues(0);
    this.gain.gain.setTargetAtTime(1, this.context.currentTime, FADE / 3);
  }

  /** Drops what was not heard of a turn, and says how much was. */
  drop(turn) {
    this.over.add(turn);
    if (turn !== this.turn) return this.report(turn, 0, true);
    const ms = this.played();
    const { pieces, held } = this;
    if (!held) this.gain.gain.setTargetAtTime(0, this.context.currentTime, FADE / 3);
    setTimeout(() => pieces.forEach(({ node }) => { try { node.stop(); } catch { /* it has ended */ } node.disconnect(); }), held ? 0 : 3 * FADE * 1000);
    this.held = false;
    this.context.resume();
    this.finish(ms);
  }

  /** Forgets everything: another conversation counts its turns from the beginning. */
  reset() {
    if (this.turn !== null) {
      const report = this.report;
      this.report = () => {};
      this.drop(this.turn);
      this.report = report;
    }
    this.over.clear();
  }
}

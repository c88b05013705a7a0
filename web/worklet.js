// The microphone's sound as 16 kHz, 16 bit, in pieces of 20 ms.

const RATE = 16000;
const PIECE = 320;
const PHASES = 64;

/** Windowed sinc at fractions of a sample: lets through what 16 kHz can hold, and nothing above. */
class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.half = Math.ceil(12 * Math.max(1, this.step));
    const cut = Math.min(1, RATE / sampleRate) * 0.94;
    this.kernels = Array.from({ length: PHASES }, (_, phase) => {
      const kernel = new Float32Array(2 * this.half);
      let sum = 0;
      for (let n = 0; n < kernel.length; n++) {
        const x = n - this.half + 1 - phase / PHASES;
        const sinc = x === 0 ? cut : Math.sin(Math.PI * cut * x) / (Math.PI * x);
        const window = 0.5 + 0.5 * Math.cos(Math.PI * Math.max(-1, Math.min(1, x / this.half)));
        sum += kernel[n] = sinc * window;
      }
      return kernel.map((value) => value / sum);
    });
    this.input = new Float32Array(0);
    this.at = this.half;
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
  }

  process([channels]) {
    const samples = channels?.[0];
    if (!samples) return true;
    const joined = new Float32Array(this.input.length + samples.length);
    joined.set(this.input);
    joined.set(samples, this.input.length);
    while (this.at + this.half + 1 < joined.length) {
      const whole = Math.floor(this.at);
      const kernel = this.kernels[Math.floor((this.at - whole) * PHASES)];
      let value = 0;
      for (let n = 0, from = whole - this.half + 1; n < kernel.length; n++) value += kernel[n] * joined[from + n];
      this.piece[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32767)));
      if (this.filled === PIECE) {
        this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
        this.piece = new Int16Array(PIECE);
        this.filled = 0;
      }
      this.at += this.step;
    }
    const done = Math.floor(this.at) - this.half;
    this.input = joined.slice(done);
    this.at -= done;
    return true;
  }
}

registerProcessor('microphone', Microphone);

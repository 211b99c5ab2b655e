// A short sound of two notes, made here: nothing is loaded for it.

/** Hertz, and seconds after the beginning. */
const NOTES = [
  [660, 0],
  [880, 0.12],
] as const;
const LENGTH = 0.25;
const LOUDNESS = 0.08;

let context: AudioContext | undefined;

/** Plays it, if the browser lets the page: it does after the first click or key. */
export function chime(): void {
  context ??= new AudioContext();
  const sound = context;
  void sound.resume();
  for (const [pitch, after] of NOTES) {
    const begin = sound.currentTime + after;
    const note = new OscillatorNode(sound, { frequency: pitch });
    const level = new GainNode(sound, { gain: 0 });
    // Rises and fades: a note that begins or ends at once clicks.
    level.gain.setValueAtTime(0, begin);
    level.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, begin + LENGTH);
    note.connect(level).connect(sound.destination);
    note.start(begin);
    note.stop(begin + LENGTH);
  }
}

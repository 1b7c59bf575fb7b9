/** A stretch of speech, as the demo reports it. */
export interface SpeechSegment {
  /** Where it starts, in seconds. */
  start: number;
  /** Where it ends, in seconds. */
  end: number;
  /** How long it is, in seconds. */
  duration: number;
  /** Its mean power, in dBFS: a full-scale square wave has 0. */
  loudness: number;
  /** The file with its sound. */
  file: string;
}

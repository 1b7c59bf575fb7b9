import type { AudioFrame, NodeConfig } from "../../../core/mod.ts";
import {
  AudioChannelMerger,
  AudioChannelSplitter,
  AudioFader,
  AudioGain,
  AudioLevelMeter,
  AudioMixer,
  AudioResampler,
  ExtractAudioData,
  FeatureExtractor,
  NoiseSuppressor,
  Recorder,
  SpeechSegmenter,
  TurnDetector,
} from "../../../nodes/audio/native_nodes.ts";
import { noise, sine } from "../../../testing/mod.ts";
import { type AnyContract, contractOf } from "../data/_contract_of.ts";

const stereo = () => noise({ seconds: 0.2, sampleRate: 16_000, numberOfChannels: 2 });

/** Two tracks, one after the other by turns, one half a frame late. */
export function tracks(): AudioFrame[] {
  const a = noise({ seconds: 0.4, seed: 1, metadata: { track: "a" } });
  const b = noise({ seconds: 0.3, seed: 2, timestamp: 50_000, metadata: { track: "b" } });
  return a.flatMap((frame, index) => index < b.length ? [frame, b[index]!] : [frame]);
}

/** Speech and silence by turns, with the note that a VoiceActivityDetector makes. */
export function annotated(): AudioFrame[] {
  return noise({ seconds: 1.2 }).map((frame, index) =>
    frame.with({ metadata: { speech: index % 20 >= 5 && index % 20 < 15 } })
  );
}

/** What the contract has to know of each native audio node, by type. */
export const nativeAudioContracts: Record<string, AnyContract> = {
  AudioGain: contractOf({
    create: (config: NodeConfig) => new AudioGain({ gainDb: -6, fromDb: 0, rampMs: 70 }, config),
    inputs: stereo,
    refused: [
      [() => new AudioGain({ gainDb: Infinity }), /AudioGain.*gainDb/],
      [() => new AudioGain({ rampMs: -1 }), /rampMs/],
    ],
  }),
  AudioMixer: contractOf({
    create: (config: NodeConfig) => new AudioMixer({ tracks: 2, frameMs: 30 }, config),
    inputs: tracks,
    refused: [
      [() => new AudioMixer({ tracks: 0 }), /AudioMixer.*tracks/],
      [() => new AudioMixer({ channels: 33 }), /channels/],
    ],
  }),
  AudioChannelSplitter: contractOf({
    create: (config: NodeConfig) => new AudioChannelSplitter({ tracks: ["left", "right"] }, config),
    inputs: stereo,
    refused: [
      [() => new AudioChannelSplitter({ channels: [-1] }), /channels\.0/],
      [() => new AudioChannelSplitter({ channels: [1], tracks: ["a", "b"] }), /as many tracks/],
    ],
  }),
  AudioChannelMerger: contractOf({
    create: (config: NodeConfig) => new AudioChannelMerger({ tracks: ["a", "b"] }, config),
    inputs: tracks,
    refused: [
      [() => new AudioChannelMerger({ tracks: [] }), /tracks/],
      [() => new AudioChannelMerger({ tracks: ["a", "a"] }), /named once/],
    ],
  }),
  AudioFader: contractOf({
    create: (config: NodeConfig) => new AudioFader({ fadeMs: 25 }, config),
    inputs: stereo,
    refused: [[() => new AudioFader({ fadeMs: 0 }), /fadeMs/]],
  }),
  AudioResampler: contractOf({
    create: (config: NodeConfig) => new AudioResampler({ sampleRate: 22_050 }, config),
    inputs: stereo,
    refused: [
      [() => new AudioResampler({ sampleRate: 0 }), /AudioResampler.*sampleRate/],
      [() => new AudioResampler({} as never), /sampleRate/],
    ],
  }),
  ExtractAudioData: contractOf({
    create: (config: NodeConfig) =>
      new ExtractAudioData({ layout: "interleaved", sampleType: "int16" }, config),
    inputs: () => sine({ seconds: 0.1, numberOfChannels: 2 }),
    refused: [[() => new ExtractAudioData({ sampleType: "int8" as never }), /sampleType/]],
  }),
  Recorder: contractOf({
    create: (config: NodeConfig) => new Recorder({ tracks: ["a", "b"], maxWaitMs: 60 }, config),
    inputs: tracks,
    refused: [
      [() => new Recorder({} as never), /tracks/],
      [() => new Recorder({ tracks: ["a"], clock: "wall" as never }), /clock/],
    ],
  }),
  AudioLevelMeter: contractOf({
    create: (config: NodeConfig) => new AudioLevelMeter({}, config),
    inputs: () => noise({ seconds: 0.65, numberOfChannels: 2 }),
    refused: [
      [() => new AudioLevelMeter({ intervalMs: 150 }), /intervalMs/],
      [() => new AudioLevelMeter({ emit: "both" as never }), /emit/],
    ],
  }),
  SpeechSegmenter: contractOf({
    create: (config: NodeConfig) =>
      new SpeechSegmenter({ preRollMs: 30, hangOverMs: 100, minSpeechMs: 50 }, config),
    inputs: annotated,
    refused: [
      [() => new SpeechSegmenter({ maxLengthMs: 0 }), /maxLengthMs/],
      [() => new SpeechSegmenter({ preRollMs: 500, maxLengthMs: 500 }), /below maxLengthMs/],
    ],
  }),
  TurnDetector: contractOf({
    create: (config: NodeConfig) => new TurnDetector({ silenceMs: 100 }, config),
    inputs: annotated,
    refused: [[() => new TurnDetector({ threshold: 2 }), /threshold/]],
  }),
  FeatureExtractor: contractOf({
    create: (config: NodeConfig) =>
      new FeatureExtractor(
        { feature: "mfcc", nFft: 512, hopLength: 160, framesPerTensor: 3 },
        config,
      ),
    inputs: stereo,
    refused: [
      [() => new FeatureExtractor({ nFft: 401 }), /nFft/],
      [() => new FeatureExtractor({ feature: "mfcc", nMels: 10 }), /nMfcc.*above nMels/],
      [() => new FeatureExtractor({ winLength: 4096 }), /winLength.*above nFft/],
    ],
  }),
  NoiseSuppressor: contractOf({
    create: (config: NodeConfig) => new NoiseSuppressor({ strength: 0.8 }, config),
    inputs: stereo,
    refused: [[() => new NoiseSuppressor({ strength: 2 }), /strength/]],
  }),
};

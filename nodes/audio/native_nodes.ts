import type { NodeClass } from "../../core/node.ts";
import { AudioChannelMerger } from "./audio_channel_merger.ts";
import { AudioChannelSplitter } from "./audio_channel_splitter.ts";
import { AudioFader } from "./audio_fader.ts";
import { AudioGain } from "./audio_gain.ts";
import { AudioLevelMeter } from "./audio_level_meter.ts";
import { AudioMixer } from "./audio_mixer.ts";
import { AudioResampler } from "./audio_resampler.ts";
import { ExtractAudioData } from "./extract_audio_data.ts";
import { FeatureExtractor } from "./feature_extractor.ts";
import { NoiseSuppressor } from "./noise_suppressor.ts";
import { Recorder } from "./recorder.ts";
import { SpeechSegmenter } from "./speech_segmenter.ts";
import { TurnDetector } from "./turn_detector.ts";

export * from "./audio_channel_merger.ts";
export * from "./audio_channel_splitter.ts";
export * from "./audio_fader.ts";
export * from "./audio_gain.ts";
export * from "./audio_level_meter.ts";
export * from "./audio_mixer.ts";
export * from "./audio_resampler.ts";
export * from "./extract_audio_data.ts";
export * from "./feature_extractor.ts";
export * from "./noise_suppressor.ts";
export * from "./recorder.ts";
export * from "./speech_segmenter.ts";
export * from "./turn_detector.ts";

/** The audio nodes of real-time paths, which need no ffmpeg. */
export const nativeAudioNodes: readonly NodeClass[] = [
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
];

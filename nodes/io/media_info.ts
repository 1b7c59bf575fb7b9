/** What all streams of media tell. */
export interface StreamInfo {
  /** Its place among the streams, from 0. */
  index: number;
  /** The codec, in ffmpeg's word. */
  codec: string;
  /** When it starts on the clock of the media, in s. */
  startTime: number;
  /** How long it is, in s, where that is told. */
  duration?: number;
  /** Bits a second, where that is told. */
  bitrate?: number;
  /** Whether a player takes it if nothing else is asked for. */
  isDefault: boolean;
  /** Titles, languages and the like. */
  tags: Readonly<Record<string, string>>;
}

/** A stream of audio. */
export interface AudioStreamInfo extends StreamInfo {
  /** Tells the kinds of streams apart. */
  kind: "audio";
  /** Samples a second, in Hz. */
  sampleRate: number;
  /** Channels. */
  numberOfChannels: number;
  /** The channels' names, as `stereo` or `5.1`, where they are told. */
  channelLayout?: string;
}

/** A stream of video. */
export interface VideoStreamInfo extends StreamInfo {
  /** Tells the kinds of streams apart. */
  kind: "video";
  /** Width, in pixels, before any rotation. */
  codedWidth: number;
  /** Height, in pixels, before any rotation. */
  codedHeight: number;
  /** Pictures a second, on average. */
  frameRate?: number;
  /** Pixel format, in ffmpeg's word. */
  pixelFormat?: string;
  /** How it is to be turned clockwise for showing, in degrees: 0, 90, 180 or 270. */
  rotation: number;
  /** Whether it is a cover picture. */
  isCover: boolean;
}

/** Subtitles, data, attachments. */
export interface OtherStreamInfo extends StreamInfo {
  /** Tells the kinds of streams apart. */
  kind: "other";
}

/** What media is. */
export interface MediaInfo {
  /** The container's names, in ffmpeg's words, as `wav` or `mov,mp4,m4a,3gp,3g2,mj2`. */
  format: string;
  /** How long it is, in s, where that can be told. */
  duration?: number;
  /** What its clock shows at its start, in s. Where that is above 0, frames read from it start at 0 all the same. */
  startTime: number;
  /** Bytes, where that is known. */
  size?: number;
  /** Bits a second, where that can be told. */
  bitrate?: number;
  /** Titles, artists and the like. */
  tags: Readonly<Record<string, string>>;
  /** All streams. */
  streams: (AudioStreamInfo | VideoStreamInfo | OtherStreamInfo)[];
  /** The stream that is read as audio. */
  audio?: AudioStreamInfo;
  /** The stream that is read as video. */
  video?: VideoStreamInfo;
}

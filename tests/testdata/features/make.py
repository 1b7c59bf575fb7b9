"""Makes the reference values that FeatureExtractor is tested against, from librosa 0.11.0 with its defaults.

Run: pip install librosa==0.11.0, then: python make.py. Every 8th frame is kept, as float32, frame after frame.
"""
from pathlib import Path

import librosa

here = Path(__file__).parent
samples, rate = librosa.load(here.parent / "conversation.wav", sr=None)

mel = librosa.feature.melspectrogram(y=samples, sr=rate)
references = {
    "log_mel": librosa.power_to_db(mel),
    "mfcc": librosa.feature.mfcc(y=samples, sr=rate),
    # what speech models often take: 25 ms every 10 ms
    "log_mel_400": librosa.power_to_db(
        librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=400, hop_length=160, n_mels=80),
        top_db=None,
    ),
    "mfcc_unclipped": librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None)),
}
for name, values in references.items():
    (here / f"{name}.f32").write_bytes(values.T[::8].astype("<f4").tobytes())
    print(name, values.shape, values.min(), values.max())

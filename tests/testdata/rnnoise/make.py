"""Makes the reference that NoiseSuppressor is tested against, from RNNoise 0.2 as pyrnnoise 0.4.5 builds it (native).

Run: pip install pyrnnoise==0.4.5, then: python make.py. The input is one and a half seconds of conversation.wav from 1 s on, each
sample three times (48 kHz), and noise; kept is what comes out at 1.0 to 1.25 s of it, as s16.
"""
import ctypes
import wave
from pathlib import Path

import numpy as np
from pyrnnoise import rnnoise

here = Path(__file__).parent
with wave.open(str(here.parent / "conversation.wav")) as file:
    speech = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768

state, noise = 1, []
for _ in range(72_000):
    state = (state * 1_664_525 + 1_013_904_223) % 2**32
    noise.append(0.05 * (state / 2**31 - 1))
samples = (np.repeat(speech[16_000:40_000], 3) + np.array(noise)).astype("<f4")

pointer = ctypes.POINTER(ctypes.c_float)
denoiser, heard = rnnoise.create(), []
for start in range(0, len(samples), 480):
    frame = np.ascontiguousarray(samples[start : start + 480] * 32768, np.float32)
    rnnoise.lib.rnnoise_process_frame(denoiser, frame.ctypes.data_as(pointer), frame.ctypes.data_as(pointer))
    heard.append(frame)
heard = np.concatenate(heard)[960:]  # RNNoise's own delay
(here / "denoised.s16").write_bytes(np.round(heard[48_000:60_000]).astype("<i2").tobytes())

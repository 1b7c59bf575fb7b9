import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type SegmentRules,
  type Span,
  SpeechSegments,
} from "../../../nodes/ml/_speech_segments.ts";

const rules: SegmentRules = {
  windowSize: 512,
  threshold: 0.5,
  negativeThreshold: 0.35,
  minSpeech: 4000,
  minSilence: 1600,
  pad: 480,
  maxSpeech: Infinity,
  cutPause: 1568,
  doubt: 16_000,
};

/**
 * The same rules on all probabilities at once, in the plainest form: speech without its padding first, then
 * the padding. What the stream finds has to be this.
 */
function segmentsOf(probabilities: number[], total: number, r: SegmentRules): [number, number][] {
  const found: [number, number][] = [];
  let [start, pause, cut, resumed] = [-1, -1, -1, -1];
  for (const [window, probability] of probabilities.entries()) {
    const at = window * r.windowSize;
    if (probability >= r.threshold && pause >= 0) {
      pause = -1;
      if (resumed < cut) resumed = at;
    }
    if (probability >= r.threshold && start < 0) {
      start = at;
      continue;
    }
    if (start >= 0 && at - start > r.maxSpeech) {
      found.push([start, cut >= 0 ? cut : at]);
      const wasCut = cut >= 0;
      start = wasCut && resumed >= cut ? resumed : -1;
      [pause, cut, resumed] = [-1, -1, -1];
      if (!wasCut) continue;
    }
    if (start < 0) continue;
    const isDoubtful = probability >= r.negativeThreshold;
    if (isDoubtful && (pause < 0 || at - pause < r.minSilence + r.doubt)) continue;
    if (pause < 0) pause = at;
    if (at - pause > r.cutPause) cut = pause;
    if (at - pause < r.minSilence) continue;
    if (pause - start > r.minSpeech) found.push([start, pause]);
    [start, pause, cut, resumed] = [-1, -1, -1, -1];
  }
  if (start >= 0 && total - start > r.minSpeech) found.push([start, total]);
  return found.map(([from, to], index) => {
    const before = found[index - 1]?.[1] ?? -Infinity;
    const after = found[index + 1]?.[0] ?? Infinity;
    const lead = Math.min(r.pad, Math.floor((from - before) / 2));
    const tail = Math.min(r.pad, Math.floor((after - to) / 2));
    return [Math.max(0, from - lead), Math.min(total, to + tail)];
  });
}

/** All stretches of a stream, and how far they came late. */
function stream(probabilities: number[], total: number, r: SegmentRules) {
  const segments = new SpeechSegments(r);
  const spans: Span[] = [];
  const whole = probabilities.slice(0, Math.floor(total / r.windowSize));
  let late = 0;
  for (const [window, probability] of whole.entries()) {
    spans.push(...segments.push(probability));
    late = Math.max(late, (window + 1) * r.windowSize - (spans.at(-1)?.end ?? 0));
  }
  spans.push(...segments.finish(total, probabilities[whole.length]));
  return { spans, late };
}

/** Stretches of a segment, put together. */
function joined(spans: Span[]): [number, number][] {
  const found: [number, number][] = [];
  let start = -1;
  for (const span of spans) {
    if (!span.speech) continue;
    if (start < 0) start = span.start;
    if (span.ended === undefined) continue;
    assert.equal(span.segment, found.length);
    found.push([start, span.end]);
    start = -1;
  }
  assert.equal(start, -1, "a segment does not end");
  return found;
}

/** Runs of alike windows, as speech has them. */
const probabilities = fc.array(
  fc.tuple(fc.constantFrom(0.1, 0.4, 0.9), fc.integer({ min: 1, max: 20 })),
  { maxLength: 30 },
).map((runs) => runs.flatMap(([value, count]) => Array<number>(count).fill(value)));

const anyRules = fc.record({
  minSpeech: fc.integer({ min: 0, max: 8000 }),
  minSilence: fc.integer({ min: 0, max: 8000 }),
  pad: fc.integer({ min: 0, max: 6000 }),
  doubt: fc.integer({ min: 0, max: 8000 }),
  maxSpeech: fc.oneof(fc.constant(Infinity), fc.integer({ min: 512, max: 30_000 })),
}).map((some) => ({ ...rules, ...some }));

Deno.test("SpeechSegments finds in a stream what the rules find in the whole", () => {
  const property = fc.property(
    probabilities,
    anyRules,
    fc.integer({ min: 1, max: 512 }),
    (values, some, last) => {
      const total = values.length === 0 ? 0 : (values.length - 1) * 512 + last;
      const { spans } = stream(values, total, some);
      assert.deepEqual(joined(spans), segmentsOf(values, total, some));
    },
  );
  fc.assert(property, { numRuns: 3000, seed: 7 });
});

Deno.test("SpeechSegments tells of each sample once, in order, and in time", () => {
  const property = fc.property(probabilities, anyRules, (values, some) => {
    const total = values.length * 512;
    const { spans, late } = stream(values, total, some);
    let at = 0;
    for (const { start, end } of spans) {
      assert.equal(start, at);
      assert.ok(end >= start);
      at = end;
    }
    assert.equal(at, total);
    const { pad, minSpeech, minSilence, maxSpeech, doubt } = some;
    const bound = 2 * pad + minSpeech + minSilence + doubt + 3 * 512;
    assert.ok(late <= bound + (maxSpeech < Infinity ? maxSpeech : 0), `${late} of ${bound}`);
  });
  fc.assert(property, { numRuns: 3000, seed: 8 });
});

Deno.test("SpeechSegments goes on from a snapshot taken anywhere", () => {
  const property = fc.property(
    probabilities,
    anyRules,
    fc.nat(1000),
    (values, some, place) => {
      const cut = values.length === 0 ? 0 : place % values.length;
      const [first, second] = [new SpeechSegments(some), new SpeechSegments(some)];
      const spans = values.slice(0, cut).flatMap((value) => first.push(value));
      second.restore(structuredClone(first.snapshot()));
      first.push(0.9);
      spans.push(...values.slice(cut).flatMap((value) => second.push(value)));
      spans.push(...second.finish(values.length * 512));
      assert.deepEqual(spans, stream(values, values.length * 512, some).spans);
    },
  );
  fc.assert(property, { numRuns: 500, seed: 9 });
});

Deno.test("SpeechSegments tells the mean probability of a segment's windows", () => {
  const values = [...Array<number>(10).fill(0.75), 0.5, 0.5, ...Array<number>(8).fill(0.1)];
  const { spans } = stream(values, values.length * 512, rules);
  const [ended] = spans.flatMap((span) => span.ended ?? []);
  assert.ok(Math.abs(ended! - 8.5 / 12) < 1e-12);
});

import assert from "node:assert/strict";
import { CountedPlaces } from "../../../remote/server/places.ts";

const one = { name: "one", policy: { maxSessions: 1 } };
const free = { name: "free", policy: {} };

Deno.test("CountedPlaces keeps no more places for a token than it may have sessions", () => {
  const places = new CountedPlaces(3);
  const { reservation } = places.reserve(one, 60_000);
  assert.throws(() => places.reserve(one, 60_000), /"one" may have 1 sessions at once/);
  places.reserve(free, 60_000); // others are not kept out
  const { release } = places.admit(one, reservation);
  assert.throws(() => places.reserve(one, 60_000), /"one" may have 1 sessions at once/);
  release();
  places.reserve(one, 60_000);
});

Deno.test("CountedPlaces gives back a place that nobody came for", async () => {
  const places = new CountedPlaces(1);
  places.reserve(one, 20);
  assert.throws(() => places.reserve(free, 60_000), /The server is full/);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(places.reserve(one, 60_000).inUse, 1);
});

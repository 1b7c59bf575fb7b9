import assert from "node:assert/strict";
import { PackagingError } from "../../core/errors.ts";
import { BundleStore } from "../../packaging/mod.ts";
import { Project } from "./_project.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const none = "0".repeat(64);

/** The names of the files in a folder. */
async function namesIn(folder: Project): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort();
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("BundleStore keeps bundles by digest, also for the next process", async () => {
  await using folder = await Project.create({});
  const store = await BundleStore.open(folder.path);
  const digest = await store.put(bytesOf("one"));
  assert.deepEqual(await store.get(digest), bytesOf("one"));
  assert.equal(await store.get(none), undefined);
  assert.deepEqual(await store.missing([none, digest]), [none]);
  const again = await BundleStore.open(folder.path);
  assert.deepEqual(await again.get(digest), bytesOf("one"));
  assert.deepEqual(await namesIn(folder), [`${digest}.rmb`]);
});

Deno.test("BundleStore refuses bytes of another digest, names that are none, and what cannot fit", async () => {
  await using folder = await Project.create({ "secret.rmb": "secret" });
  const store = await BundleStore.open(`${folder.path}/store`, { maxBytes: 10 });
  await assert.rejects(store.put(bytesOf("one"), none), PackagingError);
  await assert.rejects(store.put(bytesOf("x".repeat(11))), /over the store's 10 bytes: it has 11/);
  for (
    const name of [
      "../secret",
      "secret",
      "",
      none.slice(1),
      `${none}0`,
      "A".repeat(64),
      `../${none}`,
    ]
  ) {
    await assert.rejects(store.get(name), TypeError);
    await assert.rejects(store.missing([name]), TypeError);
  }
  await assert.rejects(BundleStore.open(folder.path, { maxBytes: 0 }), RangeError);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder.path}/store`)), []);
});

Deno.test("BundleStore removes what was not used for the longest time", async () => {
  await using folder = await Project.create({ "notes.rmb": "not a bundle of the store" });
  const store = await BundleStore.open(folder.path, { maxBytes: 30 });
  const digests: string[] = [];
  for (const text of ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]) {
    digests.push(await store.put(bytesOf(text)));
    await pause(15);
  }
  const [a, b, c] = digests as [string, string, string];
  await store.get(a);
  await pause(15);
  assert.deepEqual(await store.missing([b]), []);
  await pause(15);
  const d = await store.put(bytesOf("dddddddddd"));
  assert.deepEqual(await store.missing([a, b, c, d]), [c]);
  await BundleStore.open(folder.path, { maxBytes: 10 });
  assert.deepEqual(await store.missing([a, b, c, d]).then((gone) => gone.length), 3);
  assert.ok((await namesIn(folder)).includes("notes.rmb"));
});

Deno.test("BundleStore does not give bytes that came to harm", async () => {
  await using folder = await Project.create({});
  const store = await BundleStore.open(folder.path);
  const digest = await store.put(bytesOf("one"));
  await Deno.writeTextFile(`${folder.path}/${digest}.rmb`, "two");
  assert.equal(await store.get(digest), undefined);
  assert.deepEqual(await store.missing([digest]), [digest]);
  await store.put(bytesOf("one"));
  assert.deepEqual(await store.get(digest), bytesOf("one"));
});

Deno.test("BundleStore clears away what was left half-written, but not what is being written", async () => {
  await using folder = await Project.create({});
  const [old, fresh] = [crypto.randomUUID(), crypto.randomUUID()];
  await folder.write(`${old}.part`, "half");
  await folder.write(`${fresh}.part`, "half");
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);
  await Deno.utime(`${folder.path}/${old}.part`, yesterday, yesterday);
  await BundleStore.open(folder.path);
  assert.deepEqual(await namesIn(folder), [`${fresh}.part`]);
});

Deno.test("BundleStore holds with many writers, readers and processes at once", async () => {
  await using folder = await Project.create({});
  const store = await BundleStore.open(folder.path, { maxBytes: 200_000 });
  const program = `
    import { BundleStore } from ${JSON.stringify(import.meta.resolve("../../packaging/mod.ts"))};
    const store = await BundleStore.open(${JSON.stringify(folder.path)}, { maxBytes: 200_000 });
    for (let i = 0; i < 40; i++) {
      const bytes = new Uint8Array(10_000).fill(i);
      const digest = await store.put(bytes);
      const got = await store.get(digest);
      if (got !== undefined && got[0] !== i) throw new Error("other bytes");
    }`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const other = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", `--config=${config}`, program],
  }).output();
  await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    const bytes = new Uint8Array(10_000).fill(index % 25);
    const digest = await store.put(bytes);
    const got = await store.get(digest);
    assert.ok(got === undefined || got[0] === index % 25);
  }));
  const { success, stderr } = await other;
  assert.ok(success, new TextDecoder().decode(stderr));
  await BundleStore.open(folder.path, { maxBytes: 200_000 });
  const names = await namesIn(folder);
  assert.ok(names.length <= 20 && names.every((name) => name.endsWith(".rmb")), names.join());
});

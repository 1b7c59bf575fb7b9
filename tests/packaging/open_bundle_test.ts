import assert from "node:assert/strict";
import { PackagingError, SerializationError } from "../../core/errors.ts";
import {
  assertVersions,
  type Bundle,
  type BundleManifest,
  openBundle,
  type OpenBundleOptions,
} from "../../packaging/mod.ts";
import { Project } from "./_project.ts";
import { createTar, type TarFile } from "./_tar_writer.ts";

type Fault = typeof PackagingError | typeof SerializationError;

async function assertRefused(
  bytes: Uint8Array<ArrayBuffer>,
  Kind: Fault,
  message: RegExp,
  options: OpenBundleOptions = {},
): Promise<void> {
  await assert.rejects(openBundle(bytes, options), (error: Error) => {
    assert.match(error.message, message);
    assert.ok(error instanceof Kind, `${error.name}: ${error.message}`);
    return true;
  });
}

const project = await Project.create({
  "main.js": "export const a = 1; export const b = 2;",
  "m.bin": "model",
});
const honest = await project.bundle("main.js", { include: ["m.bin"] });
await project[Symbol.asyncDispose]();

/** The honest bundle's files, for a forger. */
function parts({ code, manifest }: Bundle): { manifest: BundleManifest; code: string } {
  return { manifest: structuredClone(manifest), code };
}

/** An archive with another manifest or code, sizes and digests made to fit unless told otherwise. */
async function forge(
  change: (parts: { manifest: BundleManifest; code: string }) => unknown,
  { fix = true, json = (manifest: unknown) => `${JSON.stringify(manifest, null, 1)}\n` } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const forged = parts(honest);
  const lied = change(forged);
  const files = [
    { name: "bundle.js", bytes: new TextEncoder().encode(forged.code) },
    { name: "data/m.bin", bytes: honest.files.get("m.bin")! },
  ];
  if (fix) {
    forged.manifest.files = await Promise.all(files.map(async ({ name, bytes }) => {
      const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
      return { name, size: bytes.length, sha256: new Uint8Array(digest).toHex() };
    }));
  }
  const manifest = new TextEncoder().encode(json(lied === undefined ? forged.manifest : lied));
  return createTar([{ name: "manifest.json", bytes: manifest }, ...files]);
}

Deno.test("openBundle opens what createBundle made", async () => {
  const { manifest, files, digest, code } = await openBundle(honest.bytes, {
    digest: honest.digest,
  });
  assert.deepEqual(manifest, honest.manifest);
  assert.equal(digest, honest.digest);
  assert.equal(code, honest.code);
  assert.equal(new TextDecoder().decode(files.get("m.bin")), "model");
  assert.deepEqual(await forge(() => {}), honest.bytes, "the forger writes the same form");
});

Deno.test("openBundle refuses a wrong digest, a changed byte, and too many bytes", async () => {
  await assertRefused(honest.bytes, PackagingError, /its digest is .*, not 0{64}/, {
    digest: "0".repeat(64),
  });
  await assertRefused(honest.bytes, PackagingError, /over the limit of 100 bytes/, {
    maxBytes: 100,
  });
  // What the manifest says of sources, nobody can check; all behind it must be as it says.
  const manifestEnd = new TextDecoder().decode(honest.bytes).indexOf("bundle.js\0");
  for (let at = manifestEnd; at < honest.bytes.length; at += 41) {
    const changed = honest.bytes.slice();
    changed[at]! ^= 1;
    await assert.rejects(
      openBundle(changed),
      (error) => error instanceof PackagingError || error instanceof SerializationError,
      `byte ${at}`,
    );
  }
});

Deno.test("openBundle refuses archives that are cut off, longer, compressed, or none", async () => {
  const { bytes } = honest;
  for (const length of [0, 1, 511, 512, 513, bytes.length - 512, bytes.length - 1]) {
    await assertRefused(bytes.slice(0, length), SerializationError, /Cannot read bundle/);
  }
  const longer = new Uint8Array([...bytes, ...new Uint8Array(512)]);
  await assertRefused(longer, SerializationError, /behind its end/);
  const gzipped = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const bomb = new Uint8Array(await new Response(gzipped).arrayBuffer());
  await assertRefused(bomb, SerializationError, /Cannot read bundle archive/);
  await assertRefused(
    crypto.getRandomValues(new Uint8Array(4096)),
    SerializationError,
    /Cannot read/,
  );
});

Deno.test("openBundle refuses unsafe names, repeated names, links and devices", async () => {
  const bytes = new TextEncoder().encode("x");
  const plain = { name: "data/x", bytes };
  const cases: [TarFile[], RegExp][] = [
    [[{ ...plain, name: "../../etc/passwd" }], /unsafe name "\.\.\/\.\.\/etc\/passwd"/],
    [[{ ...plain, name: "data/../../x" }], /unsafe name/],
    [[{ ...plain, name: "/etc/passwd" }], /unsafe name/],
    [[{ ...plain, name: "data\\..\\x" }], /unsafe name/],
    [[{ ...plain, name: "C:x" }], /unsafe name/],
    [[{ ...plain, name: "data//x" }], /unsafe name/],
    [[{ ...plain, name: "data/./x" }], /unsafe name/],
    [[{ ...plain, name: "data/x\n" }], /unsafe name/],
    [[{ ...plain, name: new Uint8Array([0x64, 0xff]) }], /unsafe name/],
    [[{ ...plain, name: "" }], /unsafe name|or is none/],
    [[plain, plain], /two files "data\/x"/],
    [[{ ...plain, type: "1", link: "manifest.json" }], /no plain file/],
    [[{ ...plain, type: "2", link: "/etc/passwd" }], /no plain file/],
    [[{ ...plain, type: "3" }], /no plain file/],
    [[{ ...plain, type: "5" }], /no plain file/],
    [[{ ...plain, type: "x" }], /no plain file/],
    [[{ ...plain, type: "L" }], /no plain file/],
    [[{ ...plain, type: "S" }], /no plain file/],
    [[{ ...plain, mode: "0004755" }], /no plain file/],
    [[{ ...plain, mtime: 1 }], /no plain file/],
    [[{ ...plain, size: 0o77777777777 }], /ends within/],
    [[{ ...plain, size: 0 }], /no plain file/],
    [[{ ...plain, checksum: 1 }], /no plain file/],
    [[{ ...plain, padding: 7 }], /bytes between its files/],
  ];
  for (const [files, message] of cases) {
    await assertRefused(createTar(files), SerializationError, message);
  }
});

Deno.test("openBundle refuses archives of the real tar program that hold links", async () => {
  await using folder = await Project.create({ "manifest.json": "{}", "bundle.js": "" });
  await Deno.symlink("/etc/passwd", `${folder.path}/link`);
  const { success, stdout } = await new Deno.Command("tar", {
    args: ["--format=ustar", "-cf", "-", "manifest.json", "bundle.js", "link"],
    cwd: folder.path,
  }).output();
  assert.ok(success);
  await assertRefused(stdout as Uint8Array<ArrayBuffer>, SerializationError, /no plain file/);
});

Deno.test("createBundle writes archives that the real tar program reads", async () => {
  await using folder = await Project.create({ "a.tar": honest.bytes });
  const { stdout } = await new Deno.Command("tar", {
    args: ["-tf", "a.tar"],
    cwd: folder.path,
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "manifest.json\nbundle.js\ndata/m.bin\n");
});

Deno.test("openBundle refuses a manifest that lies", async () => {
  const lies: [(parts: { manifest: BundleManifest; code: string }) => unknown, RegExp][] = [
    [({ manifest }) => manifest.files[0]!.size++, /the size of bundle\.js is/],
    [
      ({ manifest }) => (manifest.files[1]!.sha256 = "0".repeat(64)),
      /the sha256 of data\/m\.bin is/,
    ],
    [({ manifest }) => manifest.files.pop(), /"data\/m\.bin" that is not listed/],
    [
      ({ manifest }) => manifest.files.push({ name: "data/x", size: 0, sha256: "0".repeat(64) }),
      /"data\/x" is not in its place/,
    ],
    [({ manifest }) => manifest.files.reverse(), /not in its place/],
    [
      ({ manifest }) => (manifest.entry = "other.js"),
      /its entry "other\.js" is none of its modules/,
    ],
    [({ manifest }) => manifest.exports.pop(), /it exports a, b/],
    [({ manifest }) => manifest.exports.push("c"), /it exports a, b/],
    [({ manifest }) => (manifest.exports = ["b", "a"]), /it exports a, b/],
  ];
  for (const [lie, message] of lies) {
    // Assignments have a value, which is no manifest.
    const bytes = await forge((forged) => void lie(forged), { fix: false });
    await assertRefused(bytes, PackagingError, message);
  }
});

Deno.test("openBundle refuses a manifest of another form", async () => {
  type Change = (manifest: BundleManifest) => unknown;
  const cases: [Change, RegExp][] = [
    [() => null, /Cannot read bundle manifest/],
    [() => [], /Cannot read bundle manifest/],
    [(manifest) => ({ ...manifest, format: 2 }), /format/],
    [(manifest) => ({ ...manifest, extra: 1 }), /extra/],
    [(manifest) => ({ ...manifest, sdk: "latest" }), /a version/],
    [(manifest) => ({ ...manifest, permissions: { net: [], read: [], env: [], run: [] } }), /run/],
    [(manifest) => ({ ...manifest, permissions: { net: ["*"], read: [], env: [] } }), /net/],
    [(manifest) => ({ ...manifest, permissions: { net: [], read: ["../x"], env: [] } }), /read/],
    [(manifest) => ({ ...manifest, modules: [{ name: "x" }] }), /modules/],
    [(manifest) => ({ ...manifest, exports: Array(10_001).fill("x") }), /exports/],
    [({ format, ...rest }) => ({ ...rest, format }), /not written in the one way/],
  ];
  for (const [change, message] of cases) {
    const bytes = await forge(({ manifest }) => change(manifest));
    await assertRefused(bytes, SerializationError, message);
  }
  const twice = (manifest: unknown) =>
    `${JSON.stringify(manifest, null, 1)}\n`.replace("{", '{\n "format": 1,');
  const repeated = await forge(() => {}, { json: twice });
  await assertRefused(repeated, SerializationError, /not written in the one way/);
  const proto = await forge(() => {}, { json: () => '{ "__proto__": {}, "format": 1 }' });
  await assertRefused(proto, SerializationError, /Cannot read bundle manifest/);
  const deep = await forge(() => {}, { json: () => "[".repeat(2_000_000) });
  await assertRefused(deep, SerializationError, /Cannot read bundle manifest/);
  const large = await forge(() => {}, { json: () => `"${"x".repeat(9_000_000)}"` });
  await assertRefused(large, SerializationError, /its manifest is over/);
});

Deno.test("openBundle refuses code that imports, and code that is none", async () => {
  const cases: [string, RegExp][] = [
    ['import "node:fs"; export const a = 1, b = 2;', /imports "node:fs": line 1, column 1/],
    ['export const a = 1, b = await import("npm:x");', /imports "npm:x"/],
    [
      '//\u2028import("file:///etc/passwd")\nexport const a = 1, b = 2;',
      /imports "file:\/\/\/etc\/passwd"/,
    ],
    ["export const a = ;", /Cannot read module as it is not valid/],
  ];
  for (const [code, message] of cases) {
    const bytes = await forge((forged) => void (forged.code = code));
    await assertRefused(bytes, PackagingError, message);
  }
});

Deno.test("assertVersions compares a bundle's versions with those it would run on", () => {
  const made = (sdk: string, runtime = "2.9.6") =>
    ({ entry: "main.ts", sdk, runtime }) as BundleManifest;
  const runs = (manifest: BundleManifest, sdk: string, runtime = "2.9.6") => {
    assertVersions(manifest, { sdk, runtime });
  };
  runs(made("0.1.0"), "0.1.5");
  runs(made("1.2.3"), "1.3.0", "2.10.0");
  for (const sdk of ["0.2.0", "1.0.0", "0.0.9"]) {
    assert.throws(() => runs(made("0.1.0"), sdk), /made for SDK 0\.1\.0, which does not run on/);
  }
  assert.throws(() => runs(made("1.2.3"), "1.1.9"), PackagingError);
  assert.throws(
    () => runs(made("1.2.3"), "1.2.3", "2.8.0"),
    /Deno 2\.9\.6, which does not run on 2\.8\.0/,
  );
  assert.throws(() => runs(made("1.2.3"), "1.2.3", "3.0.0"), PackagingError);
  assertVersions(honest.manifest);
});

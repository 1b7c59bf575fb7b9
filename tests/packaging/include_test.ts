import assert from "node:assert/strict";
import { join } from "node:path";
import { PackagingError } from "../../core/errors.ts";
import { openBundle } from "../../packaging/mod.ts";
import { writeBundle } from "../../packaging/_archive.ts";
import { Project } from "./_project.ts";

const files = {
  "src/main.js": "export {};",
  "src/models/b.onnx": "b",
  "src/models/a.onnx": "a",
  "src/models/deep/c.onnx": "c",
  "src/models/notes.txt": "notes",
  "src/models/.secret": "secret",
  "src/models/.git/config": "secret",
  "src/data [1].csv": "1",
  "shared/x.bin": "x",
};

async function included(
  project: Project,
  include: readonly string[] | Record<string, string>,
): Promise<string[]> {
  const { bytes } = await project.bundle("src/main.js", { include });
  return [...(await openBundle(bytes)).files.keys()];
}

Deno.test("createBundle takes folders and patterns of data files, sorted, without hidden ones", async () => {
  await using project = await Project.create(files);
  const all = ["models/a.onnx", "models/b.onnx", "models/deep/c.onnx", "models/notes.txt"];
  const cases: [readonly string[] | Record<string, string>, string[]][] = [
    [["models"], all],
    [["models/"], all],
    [["models/**"], all],
    [["models/*.onnx"], ["models/a.onnx", "models/b.onnx"]],
    [["**/*.onnx"], ["models/a.onnx", "models/b.onnx", "models/deep/c.onnx"]],
    [["models/{a,b}.onnx", "models/[b-c].onnx"], ["models/a.onnx", "models/b.onnx"]],
    [["models/.secret"], ["models/.secret"]],
    [["data [1].csv"], ["data [1].csv"]],
    [{ "their/": "../shared", "one.onnx": "models/a.onnx" }, ["one.onnx", "their/x.bin"]],
  ];
  for (const [include, expected] of cases) {
    assert.deepEqual((await included(project, include)).toSorted(), expected, String(include));
  }
  const [one, same] = await Promise.all([
    project.bundle("src/main.js", { include: ["models"] }),
    project.bundle("src/main.js", { include: ["models/notes.txt", "models/**/*.onnx"] }),
  ]);
  assert.equal(one.digest, same.digest);
});

Deno.test("createBundle notices a data file that appears in a folder", async () => {
  await using project = await Project.create(files);
  assert.equal((await included(project, ["models"])).length, 4);
  await project.write("src/models/new.onnx", "new");
  assert.equal((await included(project, ["models"])).length, 5);
});

Deno.test("createBundle refuses folders and patterns with links, with nothing, or with too much", async () => {
  await using project = await Project.create(files);
  await Deno.symlink("/etc/passwd", join(project.path, "src/models/deep/link.onnx"));
  await Deno.symlink(join(project.path, "shared"), join(project.path, "src/far"));
  await Deno.mkdir(join(project.path, "src/empty"));
  const cases: [string[], RegExp][] = [
    [["models"], /data files "models" cannot be taken: deep\/link\.onnx is a symbolic link/],
    [["models/**/*.onnx"], /is a symbolic link/],
    [["**/*.txt"], /(far|link\.onnx) is a symbolic link/],
    [["models/*.bin"], /"models\/\*\.bin" cannot be taken: no file fits it/],
    [["nowhere/*.bin"], /no file fits it/],
    [["empty"], /the folder has none/],
  ];
  for (const [include, message] of cases) {
    await assert.rejects(project.bundle("src/main.js", { include }), (error: Error) => {
      assert.match(error.message, message);
      return error instanceof PackagingError;
    });
  }
  await assert.rejects(project.bundle("src/main.js", { include: ["../shared"] }), TypeError);
  const large = project.bundle("src/main.js", { include: ["models/*.onnx"], maxBytes: 1 });
  await assert.rejects(large, /over the size limit/);
  // one that is named itself was meant
  await Deno.symlink(join(project.path, "shared"), join(project.path, "src/linked"));
  assert.deepEqual(await included(project, ["linked"]), ["linked/x.bin"]);
});

Deno.test("createBundle refuses data files that would be in the way of another, or of the module", async () => {
  await using project = await Project.create({
    "main.js": "export const a = 1;",
    "bundle.js": "",
    "bundle.js.bin": "",
  });
  await assert.rejects(project.bundle("main.js", { include: ["bundle.js"] }), {
    name: "PackagingError",
    message: /data file "bundle.js" as the module itself has that name/,
  });
  const { manifest, code } = await project.bundle("main.js", { include: ["bundle.js.bin"] });
  const { files: _, ...about } = manifest;
  for (const [name, other] of [["a/b/c", "a"], ["a/b/c", "a/b"], ["bundle.js/a", "b"]] as const) {
    const files = new Map([[name, new Uint8Array(1)], [other, new Uint8Array(1)]]);
    await assert.rejects(writeBundle({ about, code, files }), {
      name: "PackagingError",
      message: /is a file/,
    });
  }
});

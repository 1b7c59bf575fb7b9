import assert from "node:assert/strict";
import { attempt, refused, withGuest } from "./_attack.ts";

const denied = /Requires (import|read) access|--no-npm|not a valid module type|is unsupported/;

refused("dynamic import over https", `import("https://example.com/x.js")`, denied);
refused(
  "dynamic import of a host that Deno allows by default",
  `import("https://raw.githubusercontent.com/a/b/c.js")`,
  denied,
);
refused("dynamic import over http", `import("http://127.0.0.1:9/x.js")`, denied);
refused("dynamic import of npm:", `import("npm:ms@2.1.3")`, denied);
refused("dynamic import of jsr:", `import("jsr:@std/assert@1")`, denied);
refused("dynamic import of file:", `import("file:///etc/hostname")`, denied);
refused("import of the server's own code", `import("${import.meta.url}")`, denied);
refused(
  "a computed import of file:",
  `new Function("u", "return import(u)")("file:///etc/passwd")`,
  denied,
);

for (const type of ["text", "json", "bytes"]) {
  refused(
    `dynamic import of a system file as ${type}`,
    `import("file:///etc/passwd", { with: { type: "${type}" } })`,
    denied,
  );
  refused(
    `a static import as ${type} inside of data:`,
    `import('data:text/javascript,import t from "file:///etc/passwd" with { type: "${type}" }; export default t')`,
    denied,
  );
}

refused(
  "a static import of npm: inside of data:",
  `import('data:text/javascript,import "npm:ms@2.1.3"')`,
  denied,
);
refused(
  "a static import over https inside of blob:",
  `import(URL.createObjectURL(new Blob(['import "https://example.com/x.js"'], { type: "text/javascript" })))`,
  denied,
);

Deno.test("Sandbox gives code in data: no more rights than the bundle", async () => {
  const code = `export default Deno.readTextFileSync("/etc/passwd")`;
  const { error } = await attempt(
    `import("data:text/javascript," + encodeURIComponent(${JSON.stringify(code)}))`,
  );
  assert.match(error!, /NotCapable: Requires read access/);
});

for (
  const [name, statement] of Object.entries({
    "https:": `import "https://example.com/x.js";`,
    "http:": `import "http://127.0.0.1:9/x.js";`,
    "npm:": `import "npm:ms@2.1.3";`,
    "jsr:": `import "jsr:@std/assert@1";`,
    "file:": `import "file:///work/secret.js";`,
    "a text file": `import t from "file:///etc/passwd" with { type: "text" };`,
    "a JSON file": `import t from "file:///proc/self/status" with { type: "json" };`,
  })
) {
  Deno.test(`Sandbox does not load a bundle that statically imports ${name}`, async () => {
    // openBundle() refuses it before: this is what holds if it did not
    await assert.rejects(withGuest(`${statement} export const x = 1;`, async () => {}), denied);
  });
}

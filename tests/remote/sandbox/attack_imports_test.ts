import { refused } from "./_attack.ts";

const blocked = /not allowed|denied|Requires|not a dependency|Cannot import|NotCapable|not found|npm|remote/i;

refused("dynamic import over https", `import("https://deno.land/std@0.1.0/version.ts")`, blocked);
refused("dynamic import over http", `import("http://127.0.0.1:1/x.js")`, blocked);
refused("dynamic import of npm:", `import("npm:ms@2.1.3")`, blocked);
refused("dynamic import of jsr:", `import("jsr:@std/assert@1")`, blocked);
refused("dynamic import of file:", `import("file:///etc/hostname")`, blocked);
refused("a computed import of file:", `new Function("u", "return import(u)")("file:///etc/passwd")`, blocked);
refused(
  "a text import of a system file",
  `import("file:///etc/passwd", { with: { type: "text" } })`,
  blocked,
);
refused(
  "a JSON import of a system file",
  `import("file:///proc/self/status", { with: { type: "json" } })`,
  blocked,
);
refused(
  "a bytes import of a system file",
  `import("file:///etc/passwd", { with: { type: "bytes" } })`,
  blocked,
);

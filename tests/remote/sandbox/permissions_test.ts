import assert from "node:assert/strict";
import { completePermissions, intersectPermissions } from "../../../remote/sandbox/permissions.ts";

function hosts(asked: string[], allowed: string[]): readonly string[] {
  return intersectPermissions({ net: asked }, { net: allowed }).net;
}

Deno.test("intersectPermissions grants of hosts what both sides cover", () => {
  assert.deepEqual(hosts(["a.example"], ["a.example:443"]), ["a.example:443"]);
  assert.deepEqual(hosts(["a.example:443"], ["A.example"]), ["a.example:443"]);
  assert.deepEqual(hosts(["a.example:80"], ["a.example:443"]), []);
  assert.deepEqual(hosts(["[::1]:80"], ["[::1]"]), ["[::1]:80"]);
  assert.deepEqual(hosts(["[::1]"], ["[::1]:80"]), ["[::1]:80"]);
});

Deno.test("intersectPermissions grants the names below a name where the policy says *.", () => {
  assert.deepEqual(hosts(["api.a.example:443"], ["*.a.example"]), ["api.a.example:443"]);
  assert.deepEqual(hosts(["x.api.a.example"], ["*.a.example:443"]), []);
  assert.deepEqual(hosts(["api.a.example:443"], ["*.a.example:443"]), ["api.a.example:443"]);
  assert.deepEqual(hosts(["api.a.example:80"], ["*.a.example:443"]), []);
  assert.deepEqual(hosts(["a.example", "nota.example", "a.example.org"], ["*.a.example"]), []);
  assert.deepEqual(hosts(["*.a.example"], ["api.a.example"]), ["api.a.example"]);
});

Deno.test("completePermissions refuses hosts that no rule of Deno means", () => {
  for (const host of ["*", "a*.example", "a.*", "*.", "http://a", "a:b", "a,b", "", "-*-"]) {
    assert.throws(() => completePermissions({ net: [host] }), { name: "ConfigurationError" }, host);
  }
});

Deno.test("intersectPermissions follows no .. out of a folder", () => {
  const read = (asked: string, allowed: string) =>
    intersectPermissions({ read: [asked] }, { read: [allowed] }).read;
  assert.deepEqual(read("/data/../etc/passwd", "/data"), []);
  assert.deepEqual(read("/data/a/../b", "/data"), ["/data/b"]);
  assert.deepEqual(read("/database", "/data"), []);
  assert.deepEqual(read("/", "/data"), ["/data"]);
});

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type Browser, chromium, type Page } from "playwright-core";
import { pictureOf } from "../../cli/draw/picture.ts";
import { toSvg } from "../../cli/draw/svg.ts";
import { type Manifest, NodeRegistry, parseManifest } from "../../core/mod.ts";
import { builtinNodes } from "../../nodes/mod.ts";
import { isInstalled } from "../../tasks/system_packages.ts";
import { cli, folder, root, slow } from "./_cli.ts";

const ignore = !isInstalled("chromium");
if (ignore) {
  console.log("skipped: chromium is not installed (deno run -A tasks/system_packages.ts)");
}

/** A rectangle on the page, in px. */
interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What a browser shows of a picture. */
interface Shown {
  page: Rect;
  nodes: { id: string; fill: string; box: Rect; texts: { text: string; box: Rect }[] }[];
  /** Texts outside of nodes: the name, labels of arrows, the legend. */
  others: { text: string; box: Rect }[];
}

async function openBrowser(): Promise<{ browser: Browser; page: Page } & AsyncDisposable> {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"], // its own sandbox needs rights that containers lack
  });
  const page = await browser.newPage();
  return { browser, page, [Symbol.asyncDispose]: () => browser.close() };
}

/** Runs in the page. */
const measure = `(() => {
  const rect = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return { left, top, right, bottom };
  };
  const told = (text) => ({ text: text.textContent, box: rect(text) });
  return {
    page: rect(document.querySelector("svg")),
    nodes: [...document.querySelectorAll("g.node")].map((node) => ({
      id: node.dataset.id,
      fill: getComputedStyle(node.querySelector("rect")).fill,
      box: rect(node.querySelector("rect")),
      texts: [...node.querySelectorAll("text")].map(told),
    })),
    others: [...document.querySelectorAll("text")].filter((text) => !text.closest("g.node")).map(told),
  };
})()`;

async function show(page: Page, svg: string): Promise<Shown> {
  await page.setContent(`<body style="margin:0">${svg}</body>`);
  return await page.evaluate(measure) as Shown;
}

function overlap(a: Rect, b: Rect): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Whether one is inside of the other; half a pixel is nothing. */
function isInside(inner: Rect, outer: Rect): boolean {
  return inner.left >= outer.left - 0.5 && inner.top >= outer.top - 0.5 &&
    inner.right <= outer.right + 0.5 && inner.bottom <= outer.bottom + 0.5;
}

/** Every text is there and inside of its box; no box is on another, no other text on a box. */
function check(manifest: Manifest, { page, nodes, others }: Shown): void {
  const { boxes } = pictureOf(manifest);
  deepEqual(nodes.map(({ id }) => id).toSorted(), boxes.map(({ id }) => id).toSorted());
  for (const { id, lines } of boxes) {
    const { texts, box } = nodes.find((node) => node.id === id)!;
    deepEqual(texts.map(({ text }) => text), [id, ...lines]);
    ok(isInside(box, page), `${manifest.name}: ${id} is outside of the picture`);
    for (const { text, box: inner } of texts) {
      ok(isInside(inner, box), `${manifest.name}: "${text}" is outside of the box of ${id}`);
    }
  }
  for (const [index, { id, box }] of nodes.entries()) {
    for (
      const other of [
        ...nodes.slice(index + 1).map((each) => ({ ...each, text: each.id })),
        ...others,
      ]
    ) {
      ok(!overlap(box, other.box), `${manifest.name}: ${other.text} is on ${id}`);
    }
  }
  for (const { text, box } of others) ok(isInside(box, page), `${manifest.name}: "${text}" is cut`);
}

const id = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,30}$/);
const options = fc.dictionary(
  fc.stringMatching(/^[a-z][A-Za-z]{0,14}$/),
  fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 50 }),
    fc.constantFrom(
      "日本語の文字でとても長い説明文です",
      "<b>&amp;</b>",
      "WWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    ),
    fc.double(),
    fc.array(fc.integer(), { maxLength: 20 }),
  ),
  { maxKeys: 7, noNullPrototype: true },
);
const policy = fc.constantFrom("drop-oldest" as const, "drop-newest" as const, "sample" as const);

/** Graphs without cycles: a connection leads to a node that comes later. */
const graphs: fc.Arbitrary<Manifest> = fc.record({
  ids: fc.uniqueArray(id, { minLength: 1, maxLength: 14 }),
  settings: fc.array(options, { minLength: 14, maxLength: 14 }),
  places: fc.array(fc.constantFrom(undefined, "gpu", "studio.example"), {
    minLength: 14,
    maxLength: 14,
  }),
  pairs: fc.uniqueArray(fc.tuple(fc.nat(13), fc.nat(13), fc.option(policy), fc.nat(9_998)), {
    maxLength: 24,
    selector: ([from, to]) => `${from} ${to}`,
  }),
}).map(({ ids, settings, places, pairs }) => ({
  version: 1,
  name: "random",
  nodes: ids.map((id, index) => ({
    id,
    type: "PassThrough",
    options: settings[index]!,
    ...(places[index] !== undefined && { executor: places[index] }),
    ...(index % 3 === 0 && { queue: { size: 8, overflow: "drop-oldest" as const } }),
  })),
  connections: pairs.filter(([from, to]) => from < to && to < ids.length)
    .map(([from, to, policy, size]) => ({
      from: ids[from]!,
      to: ids[to]!,
      ...(policy !== null && { policy, size: size + 1 }),
    })),
}));

Deno.test({
  name: "graph's pictures show every text in its box, and no box on another, in Chromium",
  ignore,
  async fn() {
    await using chrome = await openBrowser();
    const seed = Date.now() & 0x7fffffff;
    for (const manifest of fc.sample(graphs, { numRuns: 12, seed })) {
      try {
        check(manifest, await show(chrome.page, toSvg(pictureOf(manifest))));
      } catch (error) {
        throw new Error(`seed ${seed}: ${JSON.stringify(manifest)}`, { cause: error });
      }
    }
    const registry = new NodeRegistry(builtinNodes);
    let count = 0;
    for await (const { name } of Deno.readDir(`${root}examples`)) {
      if (!/\.ya?ml$/.test(name)) continue;
      const text = await Deno.readTextFile(`${root}examples/${name}`);
      const manifest = parseManifest(text, { registry, file: name });
      check(manifest, await show(chrome.page, toSvg(pictureOf(manifest))));
      count++;
    }
    console.log(`12 random graphs of seed ${seed}, ${count} manifests of examples`);
  },
});

Deno.test({
  name: "graph --stats colours the node in which the time goes",
  ignore,
  async fn() {
    await using chrome = await openBrowser();
    await using dir = await folder({ "p.yaml": slow, "in.txt": "a\n".repeat(20) });
    const run = ["run", "p.yaml", "-i", "in.txt", "-o", "out.txt", "--stats-file", "run.json"];
    equal((await cli(run, dir.path)).code, 0);
    // time is told by the clock: wait, which sleeps, has nearly none of it, so it is given some
    const stats = JSON.parse(await Deno.readTextFile(`${dir.path}/run.json`));
    deepEqual(stats.map(({ name }: { name: string }) => name), ["wait", "up"]);
    stats[0].busyMs = 90;
    stats[1].busyMs = 10;
    await Deno.writeTextFile(`${dir.path}/run.json`, JSON.stringify(stats));
    const draw = async (...more: string[]) => {
      const { out, code } = await cli(["graph", "p.yaml", "--as", "svg", ...more], dir.path);
      equal(code, 0);
      return (await show(chrome.page, out)).nodes;
    };
    const plain = await draw();
    equal(new Set(plain.map(({ fill }) => fill)).size, 1);
    const [wait, up] = await draw("--stats", "run.json");
    const redness = ({ fill }: { fill: string }) => {
      const [red, green] = fill.match(/\d+/g)!.map(Number) as [number, number];
      return red - green;
    };
    ok(redness(wait!) > redness(up!) + 20, `${wait!.fill} and ${up!.fill}`);
    ok(wait!.texts.some(({ text }) => text === "20 in, 20 out, 90 ms"));
  },
});

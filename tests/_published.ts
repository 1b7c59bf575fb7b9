/** The package as JSR gives it: what is published and no other file, over HTTP, with versions in its imports. */

const root = new URL("../", import.meta.url);
const types: Record<string, string> = {
  ts: "text/typescript",
  js: "text/javascript",
  json: "application/json",
};

interface Config {
  imports: Record<string, string>;
  publish: { exclude: string[] };
}

/** A registry of this one package. */
export interface Published extends AsyncDisposable {
  /** Where its files are, with a slash at the end. */
  readonly url: string;
  /** Files that were asked for and are not published. */
  readonly missing: string[];
}

/** Serves the package on this machine. */
export async function servePublished(): Promise<Published> {
  const config: Config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const missing: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url }) => {
    const path = new URL(url).pathname.slice(1);
    try {
      if (!isPublished(path, config)) throw new Deno.errors.NotFound(path);
      const headers = {
        "content-type": types[path.split(".").at(-1)!] ?? "application/octet-stream",
      };
      if (!/\.[tj]s$/.test(path)) {
        return new Response(await Deno.readFile(new URL(path, root)), { headers });
      }
      return new Response(withVersions(await Deno.readTextFile(new URL(path, root)), config), {
        headers,
      });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      missing.push(path);
      return new Response("not published", { status: 404 });
    }
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    missing,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function isPublished(path: string, { publish: { exclude } }: Config): boolean {
  if (exclude.includes(`!${path}`)) return true;
  return !exclude.some((folder) => path.startsWith(`${folder}/`));
}

/** Names of the import map become what they stand for, as `deno publish` makes them. */
function withVersions(source: string, { imports }: Config): string {
  return source.replaceAll(
    /((?:from|import)\s*\(?\s*")([^".:/][^":]*)(?=")/g,
    (all, start, name) => {
      const key = imports[name] === undefined
        ? Object.keys(imports).find((key) => name.startsWith(`${key}/`))
        : name;
      return key === undefined ? all : `${start}${imports[key]}${name.slice(key.length)}`;
    },
  );
}

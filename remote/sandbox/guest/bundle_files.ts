/** The data files of the bundle by name, each read from its folder when it is first asked for. */
export class BundleFiles extends Map<string, Uint8Array> {
  readonly #module: string;

  /** @param module the bundle's module, as URL; @param names of the files beside it */
  constructor(module: string, names: readonly string[]) {
    super(names.map((name) => [name, empty]));
    this.#module = module;
  }

  /** The bytes of a file; `undefined` if there is none of that name. */
  override get(name: string): Uint8Array | undefined {
    const known = super.get(name);
    if (known !== empty) return known;
    const bytes = Deno.readFileSync(new URL(encodeURI(`./${name}`), this.#module));
    this.set(name, bytes);
    return bytes;
  }
}

/** Stands for a file that was not read yet. */
const empty = new Uint8Array(0);

/** What a file was like: enough to see that it changed, without reading it. */
export interface FileStamp {
  /** Its path. */
  path: string;
  /** Size, inode and times; `-` if there was no such file. */
  state: string;
  /** When it was last written, in ms since 1970; 0 if there was no such file. */
  writtenMs: number;
}

/** Looks at files once, all of them in one go: some 5 µs each. */
export function stampFiles(paths: Iterable<string>): FileStamp[] {
  return [...new Set(paths)].map(stamp);
}

/** Whether files are still as they were. */
export function areUnchanged(stamps: readonly FileStamp[]): boolean {
  return stamps.every(({ path, state }) => stamp(path).state === state);
}

function stamp(path: string): FileStamp {
  const info = statOrNone(path);
  if (info === undefined) return { path, state: "-", writtenMs: 0 };
  const mtime = info.mtime?.getTime() ?? 0;
  // The change time also moves when contents or times are set back, as by `touch -r` or `cp -p`.
  const ctime = info.ctime?.getTime() ?? 0;
  return { path, state: `${info.size} ${info.ino} ${mtime} ${ctime}`, writtenMs: mtime };
}

function statOrNone(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    const { NotFound, NotADirectory, NotCapable, PermissionDenied } = Deno.errors;
    const absent = [NotFound, NotADirectory, NotCapable, PermissionDenied];
    if (absent.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}

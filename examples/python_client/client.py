"""Runs a stream of numbers through three nodes of a RemoteMedia server.

    python client.py HOST:PORT [NODE_TYPE ...]

The nodes are PassThrough three times where none are named. See README.md.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
import msgpack

PROTO = Path(__file__).resolve().parents[2] / "proto"


def load_stubs():
    """Generates the stubs from the proto files, into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        files = [str(path) for path in PROTO.glob("remotemedia/v1/*.proto")]
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}"]
        command += [f"--python_out={folder}", f"--grpc_python_out={folder}", *files]
        subprocess.run(command, check=True)
        sys.path.insert(0, folder)
        from remotemedia.v1 import execution_service_pb2 as messages
        from remotemedia.v1 import execution_service_pb2_grpc as services
        from remotemedia.v1 import chunk_pb2 as chunks

        return messages, services, chunks


def main(address, types):
    messages, services, chunks = load_stubs()

    def requests():
        segment = [
            {"name": f"node-{index}", "type": node_type} for index, node_type in enumerate(types)
        ]
        yield messages.StreamRequest(open={"protocol_version": 1, "segment": segment})
        sequence = 1
        for batch in ([1, 2, 3], [4, 5], [6]):
            packed = b"".join(msgpack.packb(value) for value in batch)
            values = chunks.Values(count=len(batch), packed=packed)
            yield messages.StreamRequest(
                chunks=chunks.ChunkBatch(first_seq=sequence, chunks=[chunks.Chunk(values=values)])
            )
            sequence += len(batch)
        # the end of the requests half-closes the call: the nodes are flushed

    with grpc.insecure_channel(address) as channel:
        stub = services.ExecutionServiceStub(channel)
        for response in stub.Stream(requests()):
            kind = response.WhichOneof("message")
            if kind != "chunks":
                continue
            for chunk in response.chunks.chunks:
                unpacker = msgpack.Unpacker()
                unpacker.feed(chunk.values.packed)
                for value in unpacker:
                    print(value)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or ["PassThrough"] * 3)

"""Sends back every message of a stream as it came. Prints its port; ends with its input."""

import sys
from concurrent import futures

import grpc


def echo(requests, _context):
    yield from requests


server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=8),
    options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
)
method = grpc.stream_stream_rpc_method_handler(echo)
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("bench.Echo", {"Echo": method}),)
)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(0)

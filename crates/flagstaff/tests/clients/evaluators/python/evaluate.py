"""flagd's Python evaluator behind JSON lines: see ../README.md."""

import json
import logging
import sys

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError

CALLERS_DEFAULT = {bool: False, str: "", int: 0.0, float: 0.0, dict: {}}


def answer(core, name, flag, context):
    kind = type(next(iter(flag["variants"].values())))
    resolve = {
        bool: core.resolve_boolean_value,
        str: core.resolve_string_value,
        int: core.resolve_float_value,
        float: core.resolve_float_value,
        dict: core.resolve_object_value,
    }[kind]
    try:
        details = resolve(name, CALLERS_DEFAULT[kind], context)
    except OpenFeatureError as error:
        return {"value": None, "variant": None, "reason": "ERROR", "error": error.error_code.value}
    return {
        "value": None if details.variant is None else details.value,
        "variant": details.variant,
        "reason": str(details.reason),
    }


def answers(request):
    core = FlagdCore()
    try:
        core.set_flags(request["document"])
    except Exception as error:
        return {"refused": repr(error)}
    flags = json.loads(request["document"])["flags"]
    found = []
    for attributes in request["contexts"]:
        attributes = dict(attributes)
        key = attributes.pop("targetingKey", None)
        context = EvaluationContext(key, attributes)
        found.append({name: answer(core, name, flag, context) for name, flag in flags.items()})
    return {"answers": found}


# It logs each argument that an operator cannot use.
logging.disable(logging.CRITICAL)
for line in sys.stdin:
    print(json.dumps(answers(json.loads(line))), flush=True)

"""Evaluates contexts with Flagsmith's Python engine: one JSON document a line in, one answer a line out.

A condition on which the engine raises an error counts as false, as the contract has it; whatever else it
raises is answered as {"raised": ...}. Numbers in results are tagged, so that 30, 30.0 and infinity are told apart.
"""

import json
import struct
import sys
import warnings

from flag_engine.engine import get_evaluation_result
from flag_engine.segments import evaluator

warnings.simplefilter("ignore")
original = evaluator.context_matches_condition


def context_matches_condition(*args, **kwargs):
    try:
        return original(*args, **kwargs)
    except Exception:
        return False


evaluator.context_matches_condition = context_matches_condition


def tagged(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return {"$integer": str(value)}
    if isinstance(value, float):
        return {"$float": struct.pack(">d", value).hex()}
    if isinstance(value, dict):
        return {name: tagged(member) for name, member in value.items()}
    return [tagged(item) for item in value]


for line in sys.stdin:
    try:
        answer = {"result": tagged(get_evaluation_result(json.loads(line)))}
    except Exception as error:
        answer = {"raised": type(error).__name__ + ": " + str(error)[:200]}
    print(json.dumps(answer), flush=True)

"""One evaluation by PyPI's flagsmith-flag-engine, of a context that is read already.

Usage: peer.py CONTEXT.json; prints one JSON object, as the programs beside it do.
"""

import json
import sys
import time

from flag_engine.engine import get_evaluation_result

ROUNDS = 5
ROUND_NANOSECONDS = 300_000_000


def round_of(context):
    start = time.thread_time_ns()
    calls = 0
    while True:
        get_evaluation_result(context)
        calls += 1
        elapsed = time.thread_time_ns() - start
        if elapsed >= ROUND_NANOSECONDS:
            return elapsed / calls


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        context = json.load(file)
    for _ in range(10):
        result = get_evaluation_result(context)
    report = {"nanoseconds": [round_of(context) for _ in range(ROUNDS)], "result": result}
    print(json.dumps(report))


main()

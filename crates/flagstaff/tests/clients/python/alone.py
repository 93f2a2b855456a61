"""The SDK's own engine on documents from files, without a server: the engine that the others are measured by."""

import json
import os

from flagsmith import Flagsmith
from flagsmith.offline_handlers import LocalFileHandler
from server import evaluated

answers = []
for case in json.load(open(os.environ["CASES"])):
    engine = Flagsmith(offline_mode=True, offline_handler=LocalFileHandler(case["document"]))
    answers.append(evaluated(engine, case["identifier"], case["traits"]))
json.dump(answers, open(os.environ["ANSWERS"], "w"))

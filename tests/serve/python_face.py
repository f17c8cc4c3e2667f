# SPDX-License-Identifier: Apache-2.0
"""Does what lines of JSON ask of the Python package, and prints the results' JSON form."""

import dataclasses
import json
import sys

import megacontext

with megacontext.Memory() as memory:
    for line in sys.stdin:
        verb, arguments = json.loads(line)
        print(json.dumps(dataclasses.asdict(getattr(memory, verb)(**arguments))), flush=True)

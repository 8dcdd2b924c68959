#!/usr/bin/env python3
"""An analyzer for `gopline analyze --analyzer exec`: tells when it gets dark and when it is light again. Needs NumPy.

gopline analyze --analyzer 'exec:format=gray8,size=160x0,run=python3 examples/brightness.py' --frames 2
"""
import json
import sys

import numpy

dark, pictures = False, sys.stdin.buffer
for line in iter(pictures.readline, b""):
    head = json.loads(line)
    picture = numpy.frombuffer(pictures.read(head["bytes"]), numpy.uint8).reshape(head["height"], head["width"])
    events = []
    if (picture.mean() < 40) != dark:
        dark = not dark
        events = [{"class": "dark", "object": 0, "phase": "start" if dark else "end", "details": {"mean": float(picture.mean())}}]
    print(json.dumps({"events": events}), flush=True)

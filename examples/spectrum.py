#!/usr/bin/env python3
"""An analyzer for `gopline analyze --analyzer exec`: tells when a machine's strongest tone changes, as when a bearing goes. Needs NumPy.

gopline analyze --analyzer 'exec:format=f32,run=python3 examples/spectrum.py' --streams 'pump-*'
"""
import json
import sys

import numpy

heard, usual = numpy.zeros(0, numpy.float32), None
pieces = sys.stdin.buffer
for line in iter(pieces.readline, b""):
    head = json.loads(line)
    heard, events = numpy.concatenate([heard, numpy.frombuffer(pieces.read(head["bytes"]), numpy.float32)]), []
    if len(heard) >= head["rate"]:  # a second: a hertz each
        second, heard = heard[: head["rate"]], heard[head["rate"] :]
        power = abs(numpy.fft.rfft(second * numpy.hanning(len(second)))) ** 2
        tone = int(power[20:].argmax()) + 20
        if usual is not None and abs(tone - usual) > 0.05 * usual:
            events = [{"class": "tone", "details": {"hz": tone, "before_hz": usual}}]
        usual = tone
    print(json.dumps({"events": events}), flush=True)

#!/usr/bin/env python3
"""An analyzer for `gopline analyze --analyzer exec`: what an ONNX network sees, here FastestDet. Needs NumPy and ONNX Runtime.

gopline analyze --analyzer 'exec:format=bgr24,size=352x352,run=python3 examples/detect.py media/models/FastestDet.onnx media/models/coco.names' --frames 2
"""
import json
import sys

import numpy
import onnxruntime


def same(a, b):
    """Whether two boxes share more than 0.45 of what they cover."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width > 0 and height > 0 and width * height / (area(a) + area(b) - width * height) > 0.45


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
network = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
names = open(sys.argv[2]).read().splitlines()
pictures = sys.stdin.buffer
for line in iter(pictures.readline, b""):
    head = json.loads(line)
    picture = numpy.frombuffer(pictures.read(head["bytes"]), numpy.uint8).reshape(1, head["height"], head["width"], 3)
    (out,) = network.run(None, {network.get_inputs()[0].name: picture.transpose(0, 3, 1, 2).astype(numpy.float32) / 255})[0]
    scores = out[0] ** 0.6 * out[5:].max(0) ** 0.4
    events, boxes = [], []
    for row, column in sorted(numpy.argwhere(scores > 0.6).tolist(), key=lambda at: -scores[tuple(at)]):
        x, y = (column + numpy.tanh(out[1, row, column])) / out.shape[2], (row + numpy.tanh(out[2, row, column])) / out.shape[1]
        width, height = 1 / (1 + numpy.exp(-out[3:5, row, column]))
        box = numpy.clip([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 0, 1).tolist()
        if not any(same(box, better) for better in boxes):
            boxes.append(box)
            events.append({"class": names[out[5:, row, column].argmax()], "score": float(scores[row, column]),
                           "box": [box[0], box[1], box[2] - box[0], box[3] - box[1]]})
    print(json.dumps({"events": events}), flush=True)

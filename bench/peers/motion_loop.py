#!/usr/bin/env python3
"""motion_loop.py CLIP [WIDTH]: the loop that everybody writes first: VideoCapture, MOG2, a threshold on what moves. With WIDTH on
grey pictures of that width. Prints how many pictures it saw. One thread."""
import os
import sys

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
import cv2  # noqa: E402

cv2.setNumThreads(1)
video, model, frames = cv2.VideoCapture(sys.argv[1]), cv2.createBackgroundSubtractorMOG2(detectShadows=False), 0
while True:
    ok, picture = video.read()
    if not ok:
        break
    frames += 1
    if len(sys.argv) > 2:
        height = picture.shape[0] * int(sys.argv[2]) // picture.shape[1]
        picture = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (int(sys.argv[2]), height), interpolation=cv2.INTER_AREA)
    cv2.countNonZero(model.apply(picture))
print(frames)

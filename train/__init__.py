"""Offline training: writes the weights that the app loads."""

import os

import cv2

# albumentations asks the network for its newest version otherwise, as soon as it is imported.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

# OpenCV's threads do not survive a fork: a data loader's worker that sets their number after its parent used them waits
# forever. So it is set here, before any of them is started.
cv2.setNumThreads(1)

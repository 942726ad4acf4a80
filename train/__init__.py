"""Offline training: writes the weights that the app loads."""

import cv2

# OpenCV's threads do not survive a fork: a data loader's worker that sets their number after its parent used them waits
# forever. So it is set here, before any of them is started.
cv2.setNumThreads(1)

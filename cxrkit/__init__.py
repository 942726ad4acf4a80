"""Library behind the CXR workbench: read a radiograph, prepare it, predict, explain.

Research and teaching software, not a medical device.
"""

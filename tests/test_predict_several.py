"""Several images in one run of the encoder give what they give one by one."""

from typing import Any

import pytest

from cxrkit.predict import encode, predict
from cxrkit.predict_several import predict_several
from cxrkit.task import ModelInput
from cxrkit.tasks.vq import VQ
from tests.models_for_tests import small_loaded
from tests.scans import drawn_scan, mean_image, noisy, scan_of

__all__ = ["mean_image"]


def test_together_is_as_one_by_one(mean_image: Any) -> None:
    loaded = small_loaded(VQ)
    headers = ({"Series_description": "LUNG PERF"}, {"Series_description": "LUNG VENT"}, {})
    images = [scan_of(noisy(drawn_scan(neck=bool(i), left=i < 2), i), **headers[i]) for i in range(3)]
    prepared = [VQ.prepare([image], {}, ModelInput()) for image in images]
    found = predict_several(loaded, prepared, images)
    for prediction, each, image in zip(found, prepared, images, strict=True):
        alone = predict(loaded, each, encode(loaded, each), [image])
        assert prediction.scores == pytest.approx(alone.scores, abs=1e-5)
        assert (prediction.label, prediction.warnings) == (alone.label, alone.warnings)
        assert prediction.scan == alone.scan

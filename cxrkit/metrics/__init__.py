"""How good is it, and how sure are we? NumPy and SciPy only.

The positive class is 1; a case is called positive at score >= threshold. A figure that cannot be computed raises
InputError with a sentence; none returns 0 or NaN instead.
"""

from cxrkit.metrics.agreement import BlandAltman, bland_altman, mean_absolute_difference
from cxrkit.metrics.calibration import (
    Recalibration,
    ReliabilityBin,
    brier,
    calibration_slope_intercept,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)
from cxrkit.metrics.classification import (
    ClassScores,
    ConfusionMatrix,
    confusion,
    macro_f1,
    precision_recall_f1,
)
from cxrkit.metrics.delong import DelongTest, delong_interval, delong_test
from cxrkit.metrics.interval import Interval, bootstrap_interval, wilson_interval
from cxrkit.metrics.roc import RocCurve, auc, roc_curve, threshold_for_sensitivity, youden_threshold

__all__ = [
    "BlandAltman",
    "ClassScores",
    "ConfusionMatrix",
    "DelongTest",
    "Interval",
    "Recalibration",
    "ReliabilityBin",
    "RocCurve",
    "auc",
    "bland_altman",
    "bootstrap_interval",
    "brier",
    "calibration_slope_intercept",
    "confusion",
    "delong_interval",
    "delong_test",
    "expected_calibration_error",
    "fit_temperature",
    "macro_f1",
    "mean_absolute_difference",
    "precision_recall_f1",
    "reliability_bins",
    "roc_curve",
    "threshold_for_sensitivity",
    "wilson_interval",
    "youden_threshold",
]

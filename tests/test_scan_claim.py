"""What headers of several vendors, in several languages, claim a lung scan to be."""

import pytest

from cxrkit.scan_claim import BOTH, CONTRADICTION, OTHER, SILENT, claim

PERFUSION = [
    "PERF", "Perfusion", "LUNG PERF ANT", "Lung Perfusion Static", "PERFUSION_ANT", "LungPerf", "Lung_Perf_8views",
    "PULMONARY PERFUSION", "Perf ANT/POST", "PERF1", "Q", "LUNG Q", "Q ANT", "LUNG-Q-ANT", "MAA", "Tc99m MAA LUNG",
    "99mTc-MAA", "MACROAGGREGATES", "Macroaggregated Albumin", "Lungenperfusion", "Lungenperfusionsszintigraphie",
    "Perfusionsszinti Lunge", "Makroaggregate", "Mikrosphären", "Perfusion pulmonaire", "Scintigraphie de perfusion",
    "Macroagrégats d'albumine", "Perfusión pulmonar", "PERFUSION PULMONAR", "Macroagregados de albúmina",
    "Perfusione polmonare", "Scintigrafia polmonare perfusoria", "Perfusão pulmonar", "Longperfusie", "PERFUSIE long",
    "VQ LUNG PERFUSION", "V/Q Perf ant", "VENT/PERF Perfusion", "lung perf + heart shadow",
    "PulmoCis", "MacroTec_ANT", "LyoMAA", "Technetium (99mTc) macrosalb",
]  # fmt: skip
VENTILATION = [
    "VENT", "Ventilation", "LUNG VENT POST", "Lung Ventilation Static", "VENTILATION_ANT", "LungVent", "V", "LUNG V",
    "V ANT", "Technegas", "TECHNEGAS ANT", "Technegaz", "Xenon", "Xe-133", "Xe133 gas", "133Xe", "Krypton", "Kr-81m",
    "81mKr", "KR81M LUNG", "AEROSOL", "DTPA aerosol", "Tc-99m DTPA Aerosol", "Aérosols", "Lungenventilation",
    "Ventilationsszintigraphie", "Inhalation", "Lungeninhalation", "Inhalationsszintigraphie", "Ventilation pulmonaire",
    "Ventilación pulmonar", "VENTILACION", "Kriptón", "Ventilazione polmonare", "Scintigrafia inalatoria",
    "Ventilação", "Ventilatie long", "V/Q VENT", "VQ Ventilation ant", "Q.Clear VENT", "TechneGas",
    "LungTechnegas TechneGas", "VentiColl", "VentiCis", "GalliGas",
]  # fmt: skip
NEITHER = [
    "", "LUNG", "STATIC", "ANT", "V/Q", "VQ", "V-Q", "V Q SCAN", "Lung V/Q", "V/P", "VENT/PERF", "Perf-Vent",
    "Ventilation and Perfusion", "Ventilations-/Perfusionsszintigraphie", "ventilation et perfusion", "Lunge",
    "event", "VENTRAL", "ventral view", "reperfusion", "performed", "PERFORMANCE", "V2.0", "Q1", "QC flood", "Tc-99m",
    "Technetium", "Lungenszintigraphie", "LUNG QUANT",
]  # fmt: skip
OTHERS = [
    "Myocard perfusion", "Myocardial Perfusion Rest", "Myokardperfusion", "Cardiac perf", "Heart perfusion",
    "Brain perfusion HMPAO", "Hirnperfusion", "Renal perfusion", "Nierenperfusion MAG3", "WB BONE", "Knochenszinti",
    "Perfusión miocárdica", "Perfusion cérébrale", "Liver perfusion",
]  # fmt: skip


@pytest.mark.parametrize("text", PERFUSION)
def test_perfusion_in_many_words(text: str) -> None:
    found = claim(text)
    assert (found.kind, found.conflict, found.reason) == ("perfusion", False, "")
    assert found.words
    assert claim("", text).kind == "perfusion"


@pytest.mark.parametrize("text", VENTILATION)
def test_ventilation_in_many_words(text: str) -> None:
    found = claim(text)
    assert (found.kind, found.conflict, found.reason) == ("ventilation", False, "")
    assert claim(text.upper()).kind == "ventilation"


@pytest.mark.parametrize(
    ("series", "tracer", "kind"),
    [
        ("Q LUNG ANT", "", "perfusion"),
        ("Q STATIC", "", "perfusion"),
        ("V LUNG ANT", "", "ventilation"),
        ("Q.Lung", "", None),
        ("Q.Static", "MAA", "perfusion"),
        ("Lung static", "Tc-99m i.v.", None),
        ("Perfusion i.v.", "", "perfusion"),
        ("PERFUSION", "MAA (Cardinal Health)", "perfusion"),
    ],
)
def test_programs_and_ways_of_giving_are_no_scans(series: str, tracer: str, kind: str | None) -> None:
    assert claim(series, tracer).kind == kind


@pytest.mark.parametrize("text", NEITHER)
def test_words_that_name_neither(text: str) -> None:
    found = claim(text)
    assert found.kind is None
    assert not found.conflict
    assert found.reason in {BOTH, SILENT}


@pytest.mark.parametrize("text", OTHERS)
def test_another_organ_is_no_claim(text: str) -> None:
    found = claim(text)
    assert found.kind is None
    assert found.reason == OTHER


@pytest.mark.parametrize(
    ("series", "tracer", "kind", "reason"),
    [
        ("Lung static", "Tc-99m MAA", "perfusion", ""),
        ("V/Q", "Technegas", "ventilation", ""),
        ("LUNG PERF", "Tc-99m Macroaggregated albumin; ^99m^Technetium", "perfusion", ""),
        ("LUNG PERF", "Technegas", None, CONTRADICTION),
        ("Ventilation", "MAA", None, CONTRADICTION),
        ("Lung", "MAA; Technegas", None, BOTH),
        ("PERF POST VENT", "", None, BOTH),
        ("PERF POST VENT", "MAA; Technegas", None, BOTH),
        ("LUNG PERFUSION ANT", "Tc-99m DTPA aerosol; Tc-99m MAA", "perfusion", ""),
        ("Perfusion post ventilation", "Tc99m MAA", "perfusion", ""),
        ("Lung perfusion", "Sestamibi", "perfusion", ""),
        ("Perfusion", "Sestamibi", None, OTHER),
    ],
)
def test_series_and_tracer_together(series: str, tracer: str, kind: str | None, reason: str) -> None:
    found = claim(series, tracer)
    assert (found.kind, found.reason, found.conflict) == (kind, reason, reason == CONTRADICTION)


def test_the_words_that_say_so_are_named_in_order() -> None:
    assert claim("LUNG PERF ANT", "99mTc-MAA").words == ("perf", "maa")
    assert claim("LUNG PERF ANT", "MAA; Technegas").words == ("perf",)
    assert claim("", "MAA; Technegas").words == ("maa", "technegas")

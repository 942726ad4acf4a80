"""Words and phrases of chest radiograph reports that the rules look for.

The stems and the phrases marked "source" are the rules of the MuSiC-ViT thesis (methods section 1); the others are
ours: inflections and further usual wordings of the same things.
"""

CHANGE = {
    # source: increase*, decrease*, new*, improvement*, aggravation*, progress*, resolution*, disappearance*, cure*,
    # enlargement*; shortened so that "increasing" or "resolved" count too.
    "increas", "decreas", "improv", "aggravat", "progress", "resolv", "resolut", "disappear", "enlarg", "regress",
    "worsen", "deteriorat",
}  # fmt: skip
"""Stems; a word that begins like one of them speaks of change."""

CHANGE_WORDS = {"new", "newly", "cure", "cured", "cures", "curing"}
"""Too short for a stem: "newborn" and "curettage" are no change."""

CHANGE_FORMS = {
    "increase", "increased", "increasing", "decrease", "decreased", "decreasing", "improvement", "improved",
    "improving", "aggravation", "aggravated", "progression", "progressed", "progressive", "resolution", "resolved",
    "resolving", "disappearance", "disappeared", "enlargement", "enlarged", "regression", "worsening", "worsened",
    "deterioration", "newly",
}  # fmt: skip
"""Whole words, against which misspelt ones are held: "incresed"."""

NOT_OF_THE_LESION = (("high", "resolut"), ("low", "resolut"), ("poor", "resolut"), ("newborn",), ("new", "york"))
"""Words that only look like change."""

GONE = (("no", "longer"),)
"""A negation that says change: "the nodule is no longer seen"."""

NO_CHANGE = (
    ("no", "interval"), ("not", "significant"), ("not", "remarkable"),  # source
    ("no", "change"), ("no", "significant", "change"), ("no", "significant", "interval"), ("without", "change"),
    ("without", "interval"), ("no", "remarkable", "change"), ("unchanged",), ("stable",), ("no", "definite", "change"),
    ("similar", "to"),
)  # fmt: skip

NORMAL = (
    ("no", "active", "lung", "lesion"),  # source
    ("no", "active", "pulmonary", "lesion"), ("no", "active", "lesion"), ("no", "active", "lung", "disease"),
    ("no", "active", "disease"), ("no", "acute", "cardiopulmonary"), ("no", "abnormality"),
    ("no", "significant", "abnormality"), ("no", "remarkable", "finding"), ("no", "abnormal", "finding"),
    ("within", "normal", "limits"), ("normal", "chest"), ("normal", "study"), ("lungs", "are", "clear"),
    ("clear", "lungs"), ("both", "lungs", "clear"), ("unremarkable",), ("no", "lung", "lesion"),
)  # fmt: skip
"""What calls a whole report normal; a word may be misspelt."""

FINDINGS = {
    "effusion", "consolidat", "nodul", "mass", "masses", "pneumothora", "cardiomegal", "atelectas", "opacit",
    "opacific", "infiltrat", "edema", "oedema", "tubercul", "pneumonia", "cavit", "fibros", "emphysem", "metasta",
    "abscess", "bronchiecta", "hydropneumothora", "congest", "lesion",
}  # fmt: skip
"""Stems of findings; one that is neither denied nor old makes a report abnormal."""

FINDING_FORMS = {
    "effusion", "consolidation", "nodule", "nodules", "pneumothorax", "cardiomegaly", "atelectasis", "opacity",
    "opacities", "infiltration", "infiltrate", "tuberculosis", "pneumonia", "emphysema", "metastasis",
    "bronchiectasis", "congestion", "fibrosis", "cavity", "lesion", "lesions",
}  # fmt: skip
"""Whole words, against which misspelt ones are held."""

OLD = {"old", "healed", "inactive", "calcified", "sequela", "sequelae", "scar", "scarring", "granuloma"}
"""A finding with one of these before it is no disease now."""

DENIALS = (
    ("no",), ("not",), ("without",), ("absence", "of"), ("free", "of"), ("negative", "for"), ("neither",), ("nor",),
    ("denies",), ("denied",), ("rule", "out"), ("ruled", "out"),
)  # fmt: skip
"""They deny what follows in their part of the sentence."""

NO_DENIALS = (("not", "only"), ("no", "doubt"), ("no", "longer"))
"""They look like a denial and are none."""

LATER_DENIALS = (
    ("not", "seen"), ("not", "noted"), ("not", "observed"), ("not", "identified"), ("not", "evident"),
    ("not", "definite"), ("is", "absent"), ("are", "absent"), ("is", "excluded"), ("was", "excluded"),
    ("is", "ruled", "out"), ("was", "ruled", "out"),
)  # fmt: skip
"""They deny what stands before them in their part of the sentence."""

TURNS = {"but", "however", "although", "though", "except", "yet", "whereas", "while", "otherwise", "despite", "with"}
"""A denial does not reach past these."""

"""Words and phrases of chest radiograph reports that the rules look for.

The stems and the phrases marked "source" are the rules of the MuSiC-ViT thesis (methods section 1); the others are
ours: inflections and further usual wordings of the same things. In phrases a word of five letters or more may be
misspelt or go on.
"""

CHANGE = {
    # source: increase*, decrease*, new*, improvement*, aggravation*, progress*, resolution*, disappearance*, cure*,
    # enlargement*; shortened so that "increasing" or "resolved" count too.
    "increas", "decreas", "improv", "aggravat", "progress", "resolv", "resolut", "disappear", "enlarg", "regress",
    "worsen", "deteriorat", "reduc",
}  # fmt: skip
"""Stems; a word that begins like one of them speaks of change."""

MISSPELT_NEW = {"nwe", "enw", "neew", "neww", "nnew"}
"""A letter swapped or doubled. In so short a word any other mistake makes another word: "few", "now", "net"."""

CHANGE_WORDS = {
    "new", "newly", "cure", "cured", "cures", "curing", "cleared", "clearing", "growth", "grown",
    "growing", "grew", *MISSPELT_NEW,
}  # fmt: skip
"""Too short or too common for a stem: "newborn", "curettage" and "clear" are no change."""

CHANGE_FORMS = {
    "increase", "increased", "increasing", "decrease", "decreased", "decreasing", "improvement", "improved",
    "improving", "aggravation", "aggravated", "progression", "progressed", "progressive", "resolution", "resolved",
    "resolving", "disappearance", "disappeared", "enlargement", "enlarged", "regression", "worsening", "worsened",
    "deterioration", "newly", "reduced", "reduction",
}  # fmt: skip
"""Whole words, against which misspelt ones are held: "incresed"."""

COMPARATIVES = {"larger", "smaller", "bigger", "worse"}
"""They speak of change where two times are compared, not two sides."""

NOT_TIMES = {"left", "right", "other", "contralateral", "usual", "normal", "expected", "cm", "mm"}
"""A comparison with one of these is not one with an earlier study."""

CHANGE_PHRASES = (
    ("now", "visible"), ("now", "seen"), ("now", "present"), ("now", "evident"), ("now", "noted"), ("has", "developed"),
    ("have", "developed"), ("interval", "development"), ("development", "of"),
)  # fmt: skip
"""Words of which one alone is no change: "well developed"."""

GONE = (
    ("no", "longer"), ("no", "more", "seen"), ("no", "more", "visible"), ("not", "seen", "anymore"),
    ("not", "seen", "any", "more"), ("not", "visible", "anymore"), ("not", "visible", "any", "more"),
    ("not", "present", "anymore"), ("not", "present", "any", "more"),
)  # fmt: skip
"""Negations that say change: "the nodule is no longer seen"."""

NOT_BEFORE = (
    ("not", "seen", "previously"), ("not", "seen", "before"), ("not", "seen", "on", "prior"),
    ("not", "seen", "on", "previous"), ("not", "seen", "on", "the", "prior"), ("not", "seen", "on", "the", "previous"),
    ("not", "previously", "seen"), ("previously", "not", "seen"), ("not", "present", "previously"),
    ("not", "present", "before"), ("not", "visible", "previously"), ("not", "visible", "before"),
)  # fmt: skip
"""Negations of an earlier state, which say that the finding is new."""

NOT_OF_THE_LESION = (
    ("high", "resolut"), ("low", "resolut"), ("poor", "resolut"), ("newborn",), ("new", "york"), ("cleared", "for"),
    ("reduced", "dose"), ("dose", "reduction"),
)  # fmt: skip
"""Words that only look like change."""

OTHERS = (
    # devices
    ("catheter",), ("tube",), ("tubes",), ("pacemaker",), ("pacer",), ("drain",), ("drains",), ("stent",), ("port",),
    ("chemoport",), ("picc",), ("device",), ("wire",), ("wires",), ("cannula",), ("valve",), ("clips",),
    ("electrode",), ("prosthesis",), ("tracheostomy",), ("venous", "line"), ("central", "line"), ("jugular", "line"),
    ("subclavian", "line"), ("arterial", "line"),
    # complaints
    ("cough",), ("fever",), ("pain",), ("dyspnea",), ("dyspnoea",), ("breath",), ("sputum",), ("hemoptysis",),
    ("symptom",), ("wheezing",), ("hypoxia",), ("weakness",),
    # technique
    ("inspirat",), ("lung", "volume"), ("exposure",), ("penetration",),
)  # fmt: skip
"""What may be new or increased without any change of a finding."""

PREPOSITIONS = {
    "in", "of", "at", "around", "near", "along", "on", "after", "since", "adjacent", "by", "for", "within", "from",
    "following", "due", "to", "about", "over", "behind", "beside", "compared", "than",
}  # fmt: skip
"""A noun phrase ends at these: "new opacity around the tube"."""

NO_CHANGE = (
    ("no", "interval"), ("not", "significant"), ("not", "remarkable"),  # source
    ("no", "change"), ("no", "significant", "change"), ("no", "significant", "interval"), ("without", "change"),
    ("without", "interval"), ("without", "significant", "change"), ("no", "remarkable", "change"), ("unchanged",),
    ("stable",), ("no", "definite", "change"), ("no", "appreciable", "change"), ("similar", "to"), ("not", "change"),
    ("not", "significantly", "change"), ("little", "change"), ("little", "interval", "change"),
    ("not", "much", "change"), ("no", "much", "change"), ("minimal", "change"), ("minimal", "interval", "change"),
    ("unimproved",), ("unresolved",), ("no", "definite", "interval"), ("no", "appreciable", "interval"),
    ("no", "remarkable", "interval"), ("no", "obvious", "interval"), ("no", "obvious", "change"),
)  # fmt: skip

SETTLED = {"unchanged", "stable"}
"""Behind a keyword they say that the state lasts: "increased markings, unchanged"."""

STILL = {"stable", "unchanged", "remain", "remains", "remained", "persistent", "persistently", "still", "chronically"}
"""The same directly before a keyword: "remains enlarged"."""

COMPARISON = {
    "from", "since", "compared", "with", "to", "the", "as", "in", "size", "appearance", "interval", "prior",
    "previous", "last", "before", "study", "exam", "examination", "radiograph", "film", "which",
}  # fmt: skip
"""What may stand with "unchanged" without being what is unchanged."""

NORMAL = (
    ("no", "active", "lung", "lesion"),  # source
    ("no", "active", "pulmonary", "lesion"), ("no", "active", "lesion"), ("no", "active", "lung", "disease"),
    ("no", "active", "disease"), ("no", "acute", "cardiopulmonary"), ("no", "abnormalit"),
    ("no", "significant", "abnormalit"), ("no", "definite", "abnormalit"), ("no", "remarkable", "finding"),
    ("no", "abnormal", "finding"), ("no", "significant", "finding"), ("no", "specific", "finding"),
    ("no", "gross", "abnormalit"), ("no", "specific", "abnormalit"), ("negative", "chest"), ("wnl",),
    ("within", "normal", "limits"), ("normal", "chest"), ("normal", "study"), ("lungs", "clear"), ("clear", "lungs"),
    ("unremarkable",), ("no", "lung", "lesion"), ("lungs", "are", "normal"), ("lungs", "appear", "normal"),
    ("lungs", "and", "heart", "are", "normal"), ("lung", "fields", "are", "normal"), ("normal", "lungs"),
    ("normal", "heart", "and", "lungs"),
)  # fmt: skip
"""What calls a whole report normal."""

WHOLE = {
    "chest", "pa", "ap", "view", "x", "ray", "radiograph", "film", "study", "exam", "examination", "the", "is", "a",
    "findings", "impression", "conclusion", "essentially",
}  # fmt: skip
"""Beside these words "normal" is said of the whole radiograph; "normal heart size" is not."""

ACTIVE = ("active", "acute")
"""Denied and followed by one of DISEASES they call a report normal."""

ACTIVE_WHERE = {"lung", "pulmonary", "cardiopulmonary", "chest", "thoracic", "intrathoracic", "parenchymal", "or"}
"""What may stand between; "no acute bony abnormality" says nothing of the lungs."""

DISEASES = ("lesion", "disease", "abnormalit", "process", "finding", "tuberculosis", "infiltrat", "pathology")

ONE_SIDED = {"left", "right", "upper", "lower", "middle", "apex", "apices", "base", "bases"}
"""With one of these "clear" is not said of both lungs."""

FINDINGS = {
    "effusion", "consolidat", "nodul", "pneumothora", "cardiomegal", "atelectas", "opacit", "opacific", "infiltrat",
    "edema", "oedema", "tubercul", "pneumonia", "cavit", "fibros", "emphysem", "metasta", "abscess", "bronchiecta",
    "hydropneumothora", "congest", "lesion", "enlarg", "blunt", "fractur", "thicken", "collaps",
}  # fmt: skip
"""Stems of findings; one that is neither denied, gone nor old makes a report abnormal."""

FINDING_WORDS = {"mass", "masses", "ggo", "ggos", "miliary"}
"""Too short for a stem: "massive" is no mass."""

FINDING_PHRASES = (("lung", "cancer"), ("lung", "carcinoma"), ("bronchogenic", "carcinoma"), ("ground", "glass"))
"""A cancer elsewhere is no finding of the chest."""

FINDING_FORMS = {
    "effusion", "consolidation", "nodule", "nodules", "pneumothorax", "cardiomegaly", "atelectasis", "opacity",
    "opacities", "infiltration", "infiltrate", "tuberculosis", "pneumonia", "emphysema", "metastasis",
    "bronchiectasis", "congestion", "fibrosis", "cavity", "lesion", "lesions",
}  # fmt: skip
"""Whole words, against which misspelt ones are held."""

PLEURAL = ("effusion", "pneumothora", "hydropneumothora")
"""Stems; without one of these the lungs need not be normal."""

OLD = {"old", "healed", "inactive", "calcified", "sequela", "sequelae", "scar", "scarring", "granuloma"}
"""A finding with one of these before it is no disease now."""

GONE_BEFORE = (("resolution",), ("disappearance",), ("complete", "clearing"))
"""What follows is no longer there."""

GONE_AFTER = (("resolved",), ("cleared",), ("disappeared",), ("no", "longer"))
"""What stands before is no longer there; what follows, if no finding stands before."""

PARTLY = (
    "partial", "partly", "incomplete", "near", "nearly", "almost", "mostly", "largely", "some", "somewhat", "slight",
    "mild",
)  # fmt: skip
"""With one of these shortly before a resolution something is left."""

SEEN = {
    "seen", "noted", "observed", "identified", "evident", "present", "visible", "detected", "found", "demonstrated",
    "visualized", "visualised", "appreciated",
}  # fmt: skip

DENIALS = (
    ("no",), ("not",), ("without",), ("absence", "of"), ("free", "of"), ("clear", "of"), ("negative", "for"),
    ("neither",), ("nor",), ("denies",), ("denied",), ("ruled", "out"), ("nothing",), ("none",), ("never",),
    ("lack", "of"),
)  # fmt: skip
"""They deny what follows in their part of the sentence."""

CHANGE_DENIALS = (("failure", "to"), ("failure", "of"), ("failed", "to"), ("fails", "to"))
"""They deny the change that follows, but the finding is there."""

NO_DENIALS = (
    ("not", "only"), ("no", "doubt"), ("not", "exclude"), ("not", "excluded"), ("can", "not", "be", "excluded"),
    ("can", "not", "be", "ruled", "out"), ("cannot", "be", "ruled", "out"), ("not", "rule", "out"),
    *GONE, *NOT_BEFORE,
)  # fmt: skip
"""They look like a denial and are none."""

LATER_DENIALS = (
    *(("not", word) for word in sorted(SEEN)), *(("not", "be", word) for word in sorted(SEEN)),
    *(("cannot", "be", word) for word in sorted(SEEN)),
    ("not", "definite"), ("is", "absent"), ("are", "absent"), ("is", "excluded"), ("was", "excluded"),
    ("is", "ruled", "out"), ("was", "ruled", "out"), ("been", "excluded"), ("been", "ruled", "out"),
)  # fmt: skip
"""They deny what stands before them in their clause."""

LATER_DOUBTS = (
    ("cannot", "be", "excluded"), ("can", "not", "be", "excluded"), ("not", "excluded"),
    ("cannot", "be", "ruled", "out"), ("can", "not", "be", "ruled", "out"), ("not", "ruled", "out"),
)  # fmt: skip
"""They leave open what stands before them."""

ASKED = (("rule", "out"), ("to", "exclude"), ("cannot", "exclude"), ("not", "exclude"), ("history", "of"))
"""They leave open what follows, or speak of the past."""

IF = {"if", "unless", "until", "till", "should"}
"""What follows has not happened."""

INTENT = {"document", "ensure", "confirm", "verify"}
"""Behind "to" they say what a further study is to show: "to document resolution"."""

TURNS = {"but", "however", "although", "though", "except", "yet", "whereas", "while", "otherwise", "despite", "with"}
"""A denial does not reach past these."""

VERBS = {
    "is", "are", "was", "were", "be", "been", "has", "have", "had", "shows", "show", "showed", "remains", "remain",
    "remained", "persists", "persist", "appears", "appear", "demonstrates", "demonstrate", "suggests", "suggest",
    "represents", "represent", "measures", "become", "became", "becomes",
}  # fmt: skip
"""With one of these a clause is complete."""

PLURAL = {"are", "were", "have"}

AMOUNTS = {"small", "tiny", "trace", "mild", "minimal", "moderate", "residual", "persistent"}
"""Nobody denies a small effusion: "no pneumothorax, small effusion" states it."""

MODIFIERS = {
    "a", "an", "the", "interval", "slight", "slightly", "mild", "mildly", "marked", "markedly", "significant",
    "significantly", "further", "some", "partial", "complete", "now", "also",
}  # fmt: skip
"""What may stand between "and" or a verb and the word that matters."""

"""Labels that are rare, out of balance or alike are named with their counts."""

from __future__ import annotations

from tests.quality.audits import findings, rows


def test_labels_that_are_rare_or_twins_or_lopsided() -> None:
    train = [*rows("Sim"), *rows("sim "), *rows("no", each=4)]
    found = findings(train=train, validation=rows("Sim", each=3, start=50))
    assert found["rare-label"].message == "train: 1 label with fewer than 10 examples: 'no' (4)"
    assert found["lookalike-labels"].message == "train: are these one label? 'Sim' (12), 'sim ' (12)"
    lopsided = findings(train=[*rows("a", each=300), *rows("b")], validation=rows("a", each=3, start=500))
    assert "'a' has 25 times the examples of 'b'" in lopsided["imbalance"].message


def test_numbers_with_fractions_as_labels() -> None:
    for labels in (("1.5", "2.0", "4.75"), ("1,5", "2,0", "4,75")):
        found = findings(train=rows(*labels), validation=rows(*labels, each=3, start=50))
        assert found["numbers-as-labels"].message == (
            f"train: all labels are numbers ('{labels[0]}', '{labels[1]}', '{labels[2]}'); is it an amount or a "
            "degree? --task regression predicts numbers"
        )
    for others in (("1", "2", "3", "4", "5"), ("1.5", "2.0", "many")):
        assert "numbers-as-labels" not in findings(train=rows(*others), validation=rows(*others, each=3, start=50))
    sets = [{"text": f"text {i}", "labels": ["1.5", "2.0"]} for i in range(30)]
    assert "numbers-as-labels" not in findings("multilabel", train=sets, validation=sets[:3])


def test_labels_of_spans_and_plain_tags_are_counted_like_others() -> None:
    spans = [{"text": "em Lisboa", "spans": [[3, 9, "LOC"]]}, {"text": "em Braga", "spans": [[3, 8, "loc"]]}]
    tags = [{"tokens": ["a", "gata"], "tags": ["DET", "NOUN"]}, {"tokens": ["uma"], "tags": ["det"]}]
    for train, rare, same in ((spans, 2, "'LOC' (1), 'loc' (1)"), (tags, 3, "'DET' (1), 'det' (1)")):
        found = findings("tokens", train=train, validation=train[:1])
        assert found["rare-label"].count == rare
        assert found["lookalike-labels"].message == f"train: are these one label? {same}"

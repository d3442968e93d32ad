"""Numbers in bits with their errors, and the report: arithmetic, text, table."""

import math
from html.parser import HTMLParser

import numpy as np
import pytest

from nbwidgets_nn.information_results import Bits, EffectiveInformation, EIReport, LayerInformation


def result(**changes):
    given = {
        "quantity": "EI_parts",
        "layer": "fc1",
        "value": 1.5,
        "standard_error": 0.0,
        "error_bound": 0.0,
        "matrix": np.array([[1.0], [0.5]]),
        "matrix_error": np.array([[0.0], [0.25]]),
        "method": "exact",
        "samples": 0,
        "estimator": "",
        "plugin_bias": 0.0,
        "seed": None,
        "in_range": (0.0, 1.0),
        "in_bins": 8,
        "out_low": np.zeros(1),
        "out_high": np.ones(1),
        "out_bins": np.array([8]),
        "outside": "clip",
        "outside_share": 0.0,
    }
    return EffectiveInformation(**(given | changes))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (2.0, 0.0, "2.0000"),
        (2.0, 0.5, "2.0 ± 0.5"),
        (2.345678, 0.0123, "2.35 ± 0.01"),
        (2.345678, 0.002, "2.346 ± 0.002"),
        (123.4, 3.2, "123 ± 3"),
        (123.4, 12.0, "123 ± 12"),
        (-0.25, 0.1, "-0.2 ± 0.1"),
        (1.0, math.nan, "1.0000"),
        (math.nan, 0.0, "–"),
        (math.nan, 0.5, "–"),
        (0.0, 0.0, "0.0000"),
    ],
)
def test_text_of_bits(value, error, text):
    """As many digits as the error has meaning for."""
    assert str(Bits(value, error)) == text


@pytest.mark.parametrize("error", [0.0999, 0.0951, 0.96, 0.00999, 9.7])
def test_an_error_that_rounds_up_has_one_digit_still(error):
    assert str(Bits(1.23456, error)).split(" ± ")[1].strip("0.") == "1"


def test_an_error_of_rounding_alone_is_not_shown_to_many_digits():
    assert len(str(Bits(1.148362452, 6e-9))) < 16


def test_difference_of_bits():
    found = Bits(5.0, 0.3, "few draws") - Bits(3.0, 0.4, "clipped")
    assert (found.value, found.note) == (2.0, "few draws; clipped")
    assert found.error == pytest.approx(0.5)
    assert (Bits(1.0, note="same") - Bits(1.0, note="same")).note == "same"
    assert (Bits(1.0) - Bits(0.5, note="one")).note == "one"
    assert math.isnan((Bits(1.0) - Bits(math.nan)).value)
    assert float(found) == 2.0


def test_bits_of_a_result():
    found = result(value=1.5, standard_error=0.1, notes=("a", "b"))
    assert found.bits == Bits(1.5, 0.1, "a; b")
    assert float(found) == 1.5


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "EI_parts of fc1: 1.5000 bits (exact)"),
        (
            {"method": "sampled", "samples": 20_000, "seed": 3, "standard_error": 0.1, "notes": ("stopped",)},
            "EI_parts of fc1: 1.5 ± 0.1 bits (sampled, 20,000 draws, seed 3); stopped",
        ),
        (
            {"outside_share": 0.25, "outside": "drop"},
            "EI_parts of fc1: 1.5000 bits (exact); 25.0% of the outputs outside their range: drop",
        ),
    ],
)
def test_text_of_a_result(changes, text):
    assert str(result(**changes)) == text


def test_a_small_share_outside_is_not_called_none():
    """Never silently lost: some beyond the range is more than 0.0 %."""
    assert "0.0%" not in str(result(outside_share=1e-5))


def test_repr_has_no_arrays():
    assert "array" not in repr(result())
    assert "EI_parts" in repr(result())


def test_one_pair_of_a_result():
    one = result().of_input(1)
    assert (one.quantity, one.value, one.standard_error, one.layer) == ("EI", 0.5, 0.25, "fc1")
    np.testing.assert_array_equal(one.matrix, [[0.5]])
    np.testing.assert_array_equal(one.matrix_error, [[0.25]])
    assert result().of_input(0).standard_error == 0


def row(name="fc1", note="", **changes):
    values = {
        "sensitivity": Bits(8.25),
        "ei": Bits(2.5, 0.01),
        "ei_parts": Bits(1.75),
        "degeneracy": Bits(6.5),
        "phi": Bits(0.75, 0.01),
    } | changes
    return LayerInformation(name, 1200, 10, **values, note=note)


def test_report_is_a_sequence_of_rows():
    report = EIReport((row("a"), row("b")), 64, 32, 7)
    assert [one.layer for one in report] == ["a", "b"]
    assert len(report) == 2
    assert report["b"] is report[1] is report.rows[1]
    assert report[-1].layer == "b"
    with pytest.raises(KeyError, match="no row for layer 'c'; there are a, b"):
        report["c"]
    assert len(EIReport((), 64, 64, 0)) == 0


def test_report_as_text():
    report = EIReport(
        (row("a"), row("a long name", sensitivity=Bits(math.nan))), 64, 32, 7, (("emb", "reads integers"),)
    )
    head, first, second, caption, skipped = str(report).splitlines()
    assert head.split() == ["layer", "sensitivity", "EI", "EI_parts", "degeneracy", "Phi"]
    assert first.split() == ["a", "8.2500", "2.50", "±", "0.01", "1.7500", "6.5000", "0.75", "±", "0.01"]
    assert len(head) == len(first) == len(second)
    assert second.startswith("a long name")
    assert "–" in second
    assert caption == "bits; 64 input bins, 32 output bins; ± standard error, none: exact; seed 7"
    assert skipped == "emb: reads integers"
    assert str(EIReport((), 64, 32, 7)).splitlines()[0].split()[0] == "layer"


class Page(HTMLParser):
    """Tags in balance, and the text of all cells."""

    def __init__(self, html):
        super().__init__()
        self.open, self.text, self.cells = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_report_as_a_table():
    report = EIReport((row("a", note="from a span"), row("b")), 64, 32, 7, (("emb", "reads integers"),))
    page = Page(report._repr_html_())
    assert page.cells[:8] == [
        "layer",
        "inputs → outputs",
        "sensitivity",
        "EI",
        "EI_parts",
        "degeneracy",
        "Phi",
        "",
    ]
    numbers = ["8.2500", "2.50 ± 0.01", "1.7500", "6.5000", "0.75 ± 0.01"]
    assert page.cells[8:16] == ["a", "1,200 → 10", *numbers, "from a span"]
    assert "emb: reads integers" in page.text
    assert any("standard error" in text for text in page.text)
    assert "Without a row" not in EIReport((row(),), 64, 64, 0)._repr_html_()


def test_names_and_notes_are_escaped():
    evil = '<script>alert("1")</script>'
    bad = Bits(1.0, note='" onmouseover="alert(1)')
    html = EIReport((row(evil, note=evil, ei=bad),), 64, 64, 0, ((evil, evil),))._repr_html_()
    assert "<script" not in html
    assert 'onmouseover="' not in html
    assert html.count("&lt;script&gt;") == 4

"""After a log-in one is led to a path of ours, or nowhere."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.return_to import path_of_ours
from tests.return_to import ELSEWHERE, OURS


@pytest.mark.parametrize("target", OURS)
def test_a_path_of_ours_stays_as_it_is(target: str) -> None:
    assert path_of_ours(target) == target


@pytest.mark.parametrize("target", ELSEWHERE)
def test_what_leads_elsewhere_is_dropped(target: str) -> None:
    assert path_of_ours(target) is None


@given(st.text(st.sampled_from("/\\%25fFcC09aA.:?#@\t\n e"), max_size=12))
def test_what_is_not_dropped_stays_on_our_host(target: str) -> None:
    if (found := path_of_ours(target)) is not None:
        assert urlsplit(urljoin("https://ours.example/login", found)).netloc == "ours.example"
        assert not found.startswith(("//", "/\\"))

"""Tables of states give what was put into them, wherever they lie and in whatever type."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina.model import tables
from afina.model.tables import KeptStates

TYPES = list(tables.DTYPES.values())


def made(rows: int, width: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(rows)).to(dtype)


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12), data=st.data(), pooled=st.booleans())
def test_windows_are_taken_as_they_were_put(lengths: list[int], data: st.DataObject, pooled: bool) -> None:
    sizes = [1] * len(lengths) if pooled else lengths
    whole = made(sum(sizes), 3)
    parts = torch.split(whole, sizes)
    indices = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=20))
    kept = KeptStates(whole, lengths, pooled=pooled)
    assert kept.at_hand
    taken = kept.take(indices)
    assert taken.pooled == pooled
    assert torch.equal(taken.vectors, torch.cat([parts[i] for i in indices]))
    order = data.draw(st.permutations(range(len(lengths))))
    other = KeptStates(torch.empty_like(whole), lengths, pooled=pooled)
    for i in range(0, len(order), 2):
        other.put(order[i : i + 2], torch.cat([parts[j] for j in order[i : i + 2]]))
    assert torch.equal(other.vectors, whole)


def test_states_come_to_the_networks_device() -> None:
    kept = KeptStates(made(5, 2), [2, 3], pooled=False, device=torch.device("meta"))
    assert not kept.at_hand
    assert kept.take([1]).vectors.device.type == "meta"


def test_states_are_kept_in_the_type_of_the_table() -> None:
    kept, states = KeptStates(torch.empty(5, 2, dtype=torch.bfloat16), [2, 3], pooled=False), made(5, 2)
    kept.put([1, 0], torch.cat([states[2:], states[:2]]))
    assert torch.equal(kept.take([0, 1]).vectors, states.bfloat16())


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_what_is_written_is_read_and_summed_in_blocks(
    dtype: torch.dtype, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, file = made(rows, 5, dtype), tmp_path / "table"
    monkeypatch.setattr(tables, "BLOCK", 100)
    digest = tables.write(table, file)
    content = file.read_bytes()
    assert content == table.view(torch.uint8).numpy().tobytes()
    assert digest == tables.digest(table) == hashlib.blake2b(content, digest_size=16).hexdigest()
    again = torch.empty_like(table)
    assert tables.read(file, again) == digest
    assert torch.equal(again, table)
    monkeypatch.setattr(tables, "BLOCK", 1)  # a row at least
    assert len(list(tables.blocks(table))) == rows
    file.write_bytes(content[:-1])
    with pytest.raises(ValueError, match="too short"):
        tables.read(file, again)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_mapped_table_is_its_file(dtype: torch.dtype, tmp_path: Path) -> None:
    table, file = made(6, 4, dtype), tmp_path / "table"
    file.write_bytes(bytes(table.nbytes))
    tables.mapped(file, (6, 4), dtype, write=True).copy_(table)
    assert file.read_bytes() == table.view(torch.uint8).numpy().tobytes()
    file.chmod(0o400)
    mapped = tables.mapped(file, (6, 4), dtype)
    assert torch.equal(mapped, table)
    mapped.zero_()
    assert torch.equal(tables.mapped(file, (6, 4), dtype), table)
    with pytest.raises(OSError, match="nowhere"):
        tables.mapped(tmp_path / "nowhere", (6, 4), dtype)

"""Flows as real files draw them."""

from pathlib import Path

import pytest

from bot.definitions.flows import Flow, Flows, read_flows

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "extensions" / "flows"


def flows_of(folder: Path, **files: str) -> Flows:
    for name, text in files.items():
        path = folder / ".sciorex" / "flows" / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_flows(folder)


def test_json_and_yaml_are_read_and_subfolders_too(tmp_path: Path) -> None:
    assert read_flows(tmp_path) == Flows({})
    flows = flows_of(
        tmp_path,
        a_json='{"id": "a", "name": "A", "nodes": [{"id": "n"}], "edges": [{"source": "n"}], "builtIn": true}',
        sub__b_yaml="id: b\ndescription: B does.\n",
        sub__c_yml="id: c\nnodes:\n- {id: x, type: end}\n",
        d_txt="id: d\n",
    )
    assert flows.by_id == {
        "a": Flow("a", "A", nodes=({"id": "n"},), edges=({"source": "n"},)),
        "b": Flow("b", "b", "B does."),
        "c": Flow("c", "c", nodes=({"id": "x", "type": "end"},)),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"id": "x",\n', "The flow file .sciorex/flows/bad.json, line 2 cannot be read: it is not valid JSON ("),
        ("[]", "it is not a mapping of keys to values."),
        ('{"name": "x"}', "it has no id."),
        ('{"id": "x", "nodes": {}}', "nodes is not a list of mappings."),
        ('{"id": ' + "[" * 100_000, "it is not valid JSON"),
    ],
)
def test_a_bad_file_is_named_and_hides_no_other(tmp_path: Path, text: str, problem: str) -> None:
    flows = flows_of(tmp_path, bad_json=text, good_json='{"id": "good"}')
    assert list(flows.by_id) == ["good"]
    assert [problem in one.text for one in flows.problems] == [True]


def test_two_files_with_one_id_are_both_named_and_neither_is_taken(tmp_path: Path) -> None:
    flows = flows_of(tmp_path, one_json='{"id": "twin"}', two_yaml="id: twin\n")
    assert flows.by_id == {}
    assert [one.text for one in flows.problems] == [
        "The flow twin stands in more than one file: .sciorex/flows/one.json, .sciorex/flows/two.yaml. "
        "Keep one of them."
    ]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of real flows is not on this machine")
def test_all_twenty_three_real_flows_load(tmp_path: Path) -> None:
    (tmp_path / ".sciorex").mkdir()
    (tmp_path / ".sciorex" / "flows").symlink_to(CORPUS)
    flows = read_flows(tmp_path)
    assert (len(flows.by_id), flows.problems) == (23, ())
    assert all(flow.nodes and flow.edges for flow in flows.by_id.values())

"""What saving and deleting agents and flows comes to, and what is refused before anybody is asked."""

from pathlib import Path

import pytest

from bot.definitions.saving import deleted_before, what_changes
from bot.errors import BotError
from tests.definitions.test_agents import agents_of
from tests.definitions.test_flows import flows_of

SAVE_AGENT, SAVE_FLOW = "sciorex_save_agent", "sciorex_save_flow"


def refused(folder: Path, tool: str, **arguments: object) -> str:
    with pytest.raises(BotError) as error:
        what_changes(folder, tool, arguments)
    return error.value.text


def test_a_new_file_is_shown_from_nothing(tmp_path: Path) -> None:
    before, after, revision = what_changes(tmp_path, SAVE_AGENT, {"id": "new", "content": "id: new\nname: New"})
    assert (before, after) == ("", "id: new\nname: New\n")
    assert revision
    assert not (tmp_path / ".sciorex").exists()


def test_an_agent_is_found_by_the_id_inside_whatever_its_file_is_called(tmp_path: Path) -> None:
    agents_of(tmp_path, sub__other="id: a\nname: One\n")
    before, after, one = what_changes(tmp_path, SAVE_AGENT, {"id": "a", "content": "id: a\nname: Two\n"})
    assert (before, after) == ("id: a\nname: One\n", "id: a\nname: Two\n")
    assert what_changes(tmp_path, "sciorex_delete_agent", {"id": "a"}) == ("id: a\nname: One\n", "", one)
    agents_of(tmp_path, sub__other="id: a\nname: Three\n")
    assert what_changes(tmp_path, "sciorex_delete_agent", {"id": "a"})[2] != one


def test_a_flow_is_saved_as_json(tmp_path: Path) -> None:
    flows_of(tmp_path, x_json='{"id": "f"}', y_yaml="id: g\n")
    assert what_changes(tmp_path, SAVE_FLOW, {"id": "f", "content": '{"id": "f", "nodes": []}'})[0] == '{"id": "f"}'
    assert what_changes(tmp_path, SAVE_FLOW, {"id": "g", "content": '{"id": "g"}'})[0] == "id: g\n"
    assert "is not a flow: it is not valid JSON" in refused(tmp_path, SAVE_FLOW, id="g", content="id: g\n")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"id": "../../x", "content": "id: ../../x\n"}, "“../../x” cannot be an id"),
        ({"id": "/etc/x", "content": "id: /etc/x\n"}, "“/etc/x” cannot be an id"),
        ({"id": "..", "content": "id: ..\n"}, "“..” cannot be an id"),
        ({"id": "", "content": "id: a\n"}, "“” cannot be an id"),
        ({"id": "a", "content": "id: b\n"}, "The content has the id “b”, and “a” was given: both must be the same."),
        ({"id": "a", "content": "id: a\nname: [\n"}, "The content is not an agent: "),
        ({"id": "a", "content": "- id: a\n"}, "is not an agent: it is not a mapping of keys to values."),
        ({"id": "a", "content": "id: a\nmaxTokens: x\n"}, "maxTokens is not a whole number above 0"),
        ({"id": "a", "content": "id: a\n#" + "x" * 200_000}, "has 200,007 characters; at most 200,000 are taken."),
        ({"id": "a", "content": "id: a\nname: \ud800\n"}, "half a character"),
        ({"id": "a"}, "it needs content, as a text."),
        ({"content": "id: a\n"}, "it needs an id."),
        ({"id": ["a"], "content": "id: a\n"}, "it needs an id."),
    ],
)
def test_what_saving_would_refuse_is_refused(tmp_path: Path, given: dict[str, object], sentence: str) -> None:
    assert sentence in refused(tmp_path, SAVE_AGENT, **given)


def test_nothing_is_guessed_where_two_files_have_one_id(tmp_path: Path) -> None:
    agents_of(tmp_path, one="id: twin\n", two="id: twin\n")
    for tool in (SAVE_AGENT, "sciorex_delete_agent"):
        assert "more than one file: .sciorex/agents/one.yaml, .sciorex/agents/two.yaml" in refused(
            tmp_path, tool, id="twin", content="id: twin\n"
        )


def test_a_file_that_holds_something_else_is_not_overwritten(tmp_path: Path) -> None:
    agents_of(tmp_path, a="id: b\n", c="id: [\n")
    for name in ("a", "c"):
        text = refused(tmp_path, SAVE_AGENT, id=name, content=f"id: {name}\n")
        assert text.startswith(f"The file .sciorex/agents/{name}.yaml is there already")


def test_what_is_not_there_cannot_be_deleted(tmp_path: Path) -> None:
    assert (
        refused(tmp_path, "sciorex_delete_agent", id="sciorex") == "There is no file of an agent “sciorex” (any more)."
    )
    assert refused(tmp_path, "sciorex_delete_flow", id="f") == "There is no file of a flow “f” (any more)."
    assert "called wrongly" in refused(tmp_path, "sciorex_delete_everything", id="f")


def test_a_deletion_that_was_cut_off_is_known_by_its_file_being_gone(tmp_path: Path) -> None:
    agents_of(tmp_path, a="id: a\n", one="id: twin\n", two="id: twin\n")
    told = {
        given: deleted_before(tmp_path, f"sciorex_{tool}", {"id": given})
        for tool, given in (("delete_agent", "a"), ("delete_agent", "twin"), ("delete_flow", "f"), ("save_agent", "s"))
    }
    assert told == {"a": None, "twin": None, "f": "Deleted: there is no file of a flow “f” any more.", "s": None}
    assert deleted_before(tmp_path, "sciorex_delete_agent", {}) is None


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "workspace", tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text("id: a\n")
    agents_of(folder, own="id: own\n")
    (folder / ".sciorex" / "agents" / "a.yaml").symlink_to(outside / "a.yaml")
    assert "leads out of .sciorex/agents by a link" in refused(folder, SAVE_AGENT, id="a", content="id: a\n")
    assert "leads out" in refused(folder, "sciorex_delete_agent", id="a")
    (folder / ".sciorex" / "flows").symlink_to(outside)
    assert "leads out" in refused(folder, SAVE_FLOW, id="f", content='{"id": "f"}')
    (folder / ".sciorex" / "agents" / "dangling.yaml").symlink_to(outside / "new.yaml")
    assert "leads out" in refused(folder, SAVE_AGENT, id="dangling", content="id: dangling\n")

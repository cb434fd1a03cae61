"""The file of SCIOREX_CONFIG: several workspaces, and everything that can be wrong with them."""

from pathlib import Path

import pytest

from bot.config_file import WorkspaceEntry
from bot.settings import Settings, SettingsError, data_folder, read_settings

NAME = "its name must be 1 to 31 small letters, digits, - or _ (in quotes, if it is a number)"
NO_ENV = Path("/nowhere/.env")


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A folder with two workspaces beside the configuration file."""
    for name in ("website", "app"):
        (tmp_path / name / ".sciorex").mkdir(parents=True)
    return tmp_path


def environ(places: Path, text: str, **more: str) -> dict[str, str]:
    file = places / "sciorex-slack.yml"
    file.write_text(text)
    return {
        "SLACK_BOT_TOKEN": "xoxb-1-secret",
        "SLACK_APP_TOKEN": "xapp-1-secret",
        "ANTHROPIC_API_KEY": "sk-1-secret",
        "SCIOREX_CONFIG": str(file),
        **more,
    }


def settings_of(places: Path, text: str, **more: str) -> Settings:
    return read_settings(environ(places, text, **more), need="run", env_file=NO_ENV)


def wrong(places: Path, text: str, **more: str) -> list[str]:
    """What is said of the file, without its name."""
    with pytest.raises(SettingsError) as raised:
        settings_of(places, text, **more)
    assert {problem.setting for problem in raised.value.problems} == {"SCIOREX_CONFIG"}
    return [problem.text.removeprefix(f"{places}/sciorex-slack.yml: ") for problem in raised.value.problems]


TWO = """\
workspaces:
  website:
    folder: website
    channels: [C0123456789, G0123456789, C0123456789]
    default: true
  app: {folder: %s/app, channels: [C0000000002]}
"""


def test_each_workspace_has_a_folder_and_its_channels(places: Path) -> None:
    settings = settings_of(places, TWO % places)
    website = WorkspaceEntry("website", places / "website", ("C0123456789", "G0123456789"), default=True)
    assert settings.ticket_workspaces == (website, WorkspaceEntry("app", places / "app", ("C0000000002",)))
    assert settings.default_workspace == website
    assert settings.database == f"sqlite:///{places}/website/.sciorex-slack/bot.db"
    assert data_folder(settings) == places / "website/.sciorex-slack"


def test_a_workspace_alone_is_the_default(places: Path) -> None:
    settings = settings_of(places, "workspaces: {app: {folder: app}}")
    assert settings.ticket_workspaces == (WorkspaceEntry("app", places / "app", default=True),)


def test_without_workspaces_the_setting_alone_means_one_for_all(places: Path) -> None:
    settings = settings_of(places, "commands: {link: /l}", SCIOREX_WORKSPACE=str(places / "app"))
    assert settings.ticket_workspaces == (WorkspaceEntry("default", places / "app", default=True),)


def test_where_the_file_names_workspaces_the_setting_does_not_count(places: Path) -> None:
    settings = settings_of(places, TWO % places, SCIOREX_WORKSPACE="/nowhere")
    assert settings.default_workspace.name == "website"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("workspaces: [website]", ["workspaces must hold a name for each, with its folder"]),
        ("workspaces: {}", ["workspaces must hold a name for each, with its folder"]),
        ("workspaces: {app: app}", ["workspaces.app must hold a folder, and may hold channels and default"]),
        ("workspaces: {app: {}}", ["workspaces.app has no folder; name the one that holds .sciorex"]),
        ("workspaces: {app: {folder: 3}}", ["workspaces.app.folder must be the path of a folder"]),
        (
            "workspaces: {app: {folder: app, chanels: []}}",
            ["workspaces.app: the key chanels is not known; known: folder, channels, default"],
        ),
        (
            "workspaces: {app: {folder: app, channels: C0123456}}",
            ["workspaces.app.channels must be a list: [C0123456789]"],
        ),
        ("workspaces: {app: {folder: app, default: perhaps}}", ["workspaces.app.default must be true or false"]),
        (
            "workspaces: {Web Site: {folder: app}}",
            [f"workspaces.Web Site: {NAME}"],
        ),
        (
            "workspaces: {2024: {folder: app}}",
            [f"workspaces.2024: {NAME}"],
        ),
        (
            "workspaces: {a: {folder: app}, b: {folder: website}}",
            ["none of the workspaces is the default; one needs default: true"],
        ),
        (
            "workspaces: {a: {folder: app, default: true}, b: {folder: website, default: true}}",
            ["workspaces a and b each say default: true; only one can be"],
        ),
        (
            "workspaces: {a: {folder: app, default: true}, b: {folder: ./website/../app}}",
            ["workspaces a and b have the same folder"],
        ),
        (
            "workspaces:\n  a: {folder: app, default: true, channels: [C0123456]}\n"
            "  b: {folder: website, channels: [C0123456]}",
            ["channel C0123456 stands in workspaces.a and in workspaces.b"],
        ),
        ("workspaces:\n  a: {folder: app}\n  a: {folder: website}", ["line 3: the key a stands there twice"]),
    ],
)
def test_what_is_wrong_with_a_workspace_is_named(places: Path, text: str, sentences: list[str]) -> None:
    assert wrong(places, text) == sentences


def test_the_name_of_a_channel_is_refused_with_where_its_id_is(places: Path) -> None:
    [sentence] = wrong(places, "workspaces: {app: {folder: app, channels: ['#web-team']}}")
    assert sentence.startswith("workspaces.app.channels: #web-team is no id of a channel")
    assert sentence.endswith("such as C0123456789, at the bottom of the channel's details")


def test_a_folder_without_tickets_is_named(places: Path) -> None:
    (places / "empty").mkdir()
    [sentence] = wrong(places, "workspaces: {app: {folder: empty}}")
    assert sentence == f"workspaces.app.folder: {places}/empty holds no .sciorex; name the folder that does"


def test_everything_wrong_is_named_at_once(places: Path) -> None:
    text = (
        "colour: red\n"
        "commands: {link: Link}\n"
        "workspaces:\n"
        "  website: {folder: website, channels: ['#web', 5], default: true}\n"
        "  App: {folder: app}\n"
        "  docs: {folder: nowhere}\n"
        "  more: {default: true}\n"
    )
    beginnings = (
        "the key colour is not known",
        "commands.link must be a slash",
        "workspaces.website.channels: #web is no id",
        "workspaces.website.channels: 5 is no id",
        "workspaces.App: its name",
        "workspaces.more has no folder",
        "workspaces website and more each say default: true",
        f"workspaces.docs.folder: {places}/nowhere holds no .sciorex",
    )
    sentences = wrong(places, text)
    assert len(sentences) == len(beginnings)
    assert all(sentence.startswith(begin) for sentence, begin in zip(sentences, beginnings, strict=True))


def test_what_the_bot_knows_does_not_get_lost_when_another_workspace_becomes_the_default(places: Path) -> None:
    data_folder(Settings(sciorex_workspace=places / "app"))
    [sentence] = wrong(places, TWO % places)
    assert sentence == (
        f"the bot's data is in {places}/app/.sciorex-slack; move it to {places}/website/.sciorex-slack, or make app "
        f"the default (to begin anew, make an empty {places}/website/.sciorex-slack)"
    )
    (places / "website/.sciorex-slack").mkdir()
    assert settings_of(places, TWO % places).default_workspace.name == "website"


def test_the_ticket_server_takes_the_setting_first_then_the_default(places: Path) -> None:
    given = {"SCIOREX_CONFIG": environ(places, TWO % places)["SCIOREX_CONFIG"]}
    default = read_settings(given, need="mcp", env_file=NO_ENV).default_workspace
    assert default.folder == places / "website"
    own = {**given, "SCIOREX_WORKSPACE": str(places / "app")}
    assert read_settings(own, need="mcp", env_file=NO_ENV).default_workspace.folder == places / "app"
    assert len(read_settings(own, need="mcp_named", env_file=NO_ENV).workspaces) == 2

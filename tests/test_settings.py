"""What the settings accept, what they name when it is wrong, and what they never show."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config_file import CommandNames
from bot.settings import (
    Settings,
    SettingsError,
    data_folder,
    look_at_settings,
    private_paths,
    read_settings,
    setting_names,
)

KNOWN = "commands, workspaces, servers, access, prices, limits, agents"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "work" / ".sciorex").mkdir(parents=True)
    return tmp_path / "work"


@pytest.fixture
def environ(workspace: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": "xoxb-1-secret",
        "SLACK_APP_TOKEN": "xapp-1-secret",
        "ANTHROPIC_API_KEY": "sk-1-secret",
        "SCIOREX_WORKSPACE": str(workspace),
    }


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_the_least_one_must_set_is_enough(environ: dict[str, str], workspace: Path, env_file: Path) -> None:
    settings = read_settings(environ, need="run", env_file=env_file)
    assert settings == Settings(
        slack_bot_token=SecretStr("xoxb-1-secret"),
        slack_app_token=SecretStr("xapp-1-secret"),
        anthropic_api_key=SecretStr("sk-1-secret"),
        sciorex_workspace=workspace,
    )
    assert settings.database == f"sqlite:///{workspace}/.sciorex-slack/bot.db"
    assert (settings.slack_api_url, settings.anthropic_model) == ("https://slack.com/api/", "claude-sonnet-5-5")


def test_everything_missing_is_named_in_one_message(tmp_path: Path, env_file: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"SCIOREX_WORKSPACE": str(tmp_path)}, need="run", env_file=env_file)
    assert [problem.setting for problem in raised.value.problems] == [
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "ANTHROPIC_API_KEY",
        "SCIOREX_WORKSPACE",
    ]
    assert all(f"{problem.setting}: {problem.text}" in raised.value.text for problem in raised.value.problems)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SLACK_BOT_TOKEN", "xapp-1-mixed-up", "does not begin with xoxb-; take it from OAuth & Permissions"),
        (
            "SLACK_APP_TOKEN",
            "xoxb-1-mixed-up",
            "does not begin with xapp-; take it from Basic Information, App-Level Tokens",
        ),
        ("ANTHROPIC_API_KEY", "two keys", "holds spaces or signs that no key has; copy it once more, alone"),
        ("SLACK_API_URL", "slack.com", "is no address that begins with https:// (or http://)"),
        ("ANTHROPIC_BASE_URL", "localhost:1234", "is no address that begins with https:// (or http://)"),
        ("DATABASE_URL", "mysql://here", "must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"),
        ("DATABASE_URL", "sqlite:///:memory:", "must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"),
        ("PORT", "99999", "must be a number from 1 to 65535"),
        ("PORT", "http", "must be a number from 1 to 65535"),
        ("LOG_LEVEL", "loud", "should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LOG_FORMAT", "xml", "should be 'text' or 'json'"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_is_not_shown(
    environ: dict[str, str], env_file: Path, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({**environ, name: value}, need="run", env_file=env_file)
    assert [(problem.setting, problem.text) for problem in raised.value.problems] == [(name, sentence)]
    assert value not in raised.value.text or value in sentence


def test_several_malformed_and_missing_settings_are_named_together(environ: dict[str, str], env_file: Path) -> None:
    del environ["ANTHROPIC_API_KEY"]
    with pytest.raises(SettingsError) as raised:
        read_settings({**environ, "PORT": "x", "LOG_LEVEL": "x"}, need="run", env_file=env_file)
    assert {problem.setting for problem in raised.value.problems} == {"PORT", "LOG_LEVEL", "ANTHROPIC_API_KEY"}


def test_a_signing_secret_stands_in_for_an_app_token(environ: dict[str, str], env_file: Path) -> None:
    del environ["SLACK_APP_TOKEN"]
    settings = read_settings({**environ, "SLACK_SIGNING_SECRET": "abc"}, need="run", env_file=env_file)
    assert settings.slack_app_token is None


def test_the_environment_wins_over_the_file_and_an_empty_value_counts_as_none(
    environ: dict[str, str], env_file: Path
) -> None:
    env_file.write_text("ANTHROPIC_MODEL=from-file\nPORT=\nLOG_LEVEL=debug\nSLACK_SIGNING_SECRET=a$b${HOME}\n")
    settings = read_settings({**environ, "LOG_LEVEL": "warning"}, need="run", env_file=env_file)
    assert (settings.anthropic_model, settings.port, settings.log_level) == ("from-file", None, "WARNING")
    assert settings.slack_signing_secret == SecretStr("a$b${HOME}")


def test_secrets_are_never_printed(environ: dict[str, str], env_file: Path) -> None:
    settings = read_settings(environ, need="run", env_file=env_file)
    assert "1-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_demo_asks_for_nothing_and_a_half_filled_file_does_not_stop_it(env_file: Path) -> None:
    env_file.write_text("SLACK_BOT_TOKEN=todo\nDATABASE_URL=todo\nSCIOREX_WORKSPACE=/nowhere\n")
    assert read_settings({}, need="demo", env_file=env_file) == Settings()


def test_the_ticket_server_needs_a_workspace_alone(workspace: Path, tmp_path: Path, env_file: Path) -> None:
    settings = read_settings({"SCIOREX_WORKSPACE": str(workspace)}, need="mcp", env_file=env_file)
    assert settings.sciorex_workspace == workspace
    with pytest.raises(SettingsError, match="SCIOREX_WORKSPACE"):
        read_settings({"SCIOREX_WORKSPACE": str(tmp_path)}, need="mcp", env_file=env_file)


def test_looking_goes_on_past_what_is_malformed(environ: dict[str, str], env_file: Path) -> None:
    settings, problems = look_at_settings({**environ, "PORT": "x"}, need="doctor", env_file=env_file)
    assert (settings.port, [problem.setting for problem in problems]) == (None, ["PORT"])
    assert settings.slack_bot_token == SecretStr("xoxb-1-secret")


def test_command_names_can_be_set(environ: dict[str, str], tmp_path: Path, env_file: Path) -> None:
    config = tmp_path / "sciorex-slack.yml"
    config.write_text("commands: {link: /tlink, ticket: /t}\n")
    settings = read_settings({**environ, "SCIOREX_CONFIG": str(config)}, need="run", env_file=env_file)
    assert settings.commands == CommandNames(link="/tlink", unlink="/unlink", ticket="/t")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("comands: {}", f"the key comands is not known; known: {KNOWN}"),
        ("commands: {lonk: /x}", "commands.lonk Extra inputs are not permitted"),
        ("commands: {link: Link It}", "commands.link must be a slash and 1 to 31 small letters, digits, - or _"),
        ("commands: {link: /ticket}", "two commands have the same name"),
        ("- a list", f"must hold keys and values; known: {KNOWN}"),
        ("commands: {\n  link: [\n", "line 3: not valid YAML"),
        ("commands: {link: /a}\ncommands: {link: /b}", "line 2: the key commands stands there twice"),
    ],
)
def test_what_is_wrong_in_the_configuration_file_is_named(
    environ: dict[str, str], tmp_path: Path, env_file: Path, text: str, sentence: str
) -> None:
    config = tmp_path / "sciorex-slack.yml"
    config.write_text(text)
    with pytest.raises(SettingsError) as raised:
        read_settings({**environ, "SCIOREX_CONFIG": str(config)}, need="run", env_file=env_file)
    [problem] = raised.value.problems
    assert problem.setting == "SCIOREX_CONFIG"
    assert problem.text.startswith(str(config))
    assert problem.text.endswith(sentence)


def test_a_configuration_file_that_is_not_there_is_named(environ: dict[str, str], env_file: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({**environ, "SCIOREX_CONFIG": "/nowhere.yml"}, need="run", env_file=env_file)
    assert "SCIOREX_CONFIG: /nowhere.yml cannot be read: No such file or directory" in raised.value.text


def test_the_data_folder_keeps_itself_out_of_version_control(workspace: Path) -> None:
    folder = data_folder(Settings(sciorex_workspace=workspace))
    assert folder == workspace / ".sciorex-slack"
    assert (folder / ".gitignore").read_text() == "*\n"
    assert folder.stat().st_mode & 0o077 == 0
    (folder / ".gitignore").write_text("*\n!kept\n")
    assert data_folder(Settings(sciorex_workspace=workspace)) == folder
    assert (folder / ".gitignore").read_text() == "*\n!kept\n"


def test_what_agents_must_not_read_is_named(environ: dict[str, str], workspace: Path, env_file: Path) -> None:
    config = workspace / "bot.yml"
    config.write_text("access: {days: 3}\n")
    given = environ | {"SCIOREX_CONFIG": str(config), "DATABASE_URL": f"sqlite:///{workspace}/own.db?mode=rwc"}
    private = private_paths(read_settings(given, need="run", env_file=env_file), env_file)
    assert private == (workspace / ".sciorex-slack", workspace / "own.db", config, env_file)
    elsewhere = environ | {"DATABASE_URL": "postgresql://bot@db/bot"}
    private = private_paths(read_settings(elsewhere, need="run", env_file=env_file), env_file)
    assert private == (workspace / ".sciorex-slack", env_file)


def test_every_setting_says_what_it_is() -> None:
    fields = {name.lower(): Settings.model_fields[name.lower()].description for name in setting_names()}
    assert not [name for name, description in fields.items() if not description]

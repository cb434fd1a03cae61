"""Every setting, read once: from the environment, a `.env` file and the file of SCIOREX_CONFIG (config_file.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from bot.config_file import KEYS, CommandNames, Config, WorkspaceEntry, read_config, sentences
from bot.config_sections import Access, AgentChoice, Limits, Price, ServerEntry
from bot.errors import BotError

# mcp_named: mcp, for a workspace that is given by name; archives: export, verify, erase
Need = Literal["run", "doctor", "demo", "mcp", "mcp_named", "archives"]
_LOGGING = frozenset({"log_level", "log_format"})
# What a command looks at; `run` and `doctor` look at everything. A half-filled .env never stops the demo.
_LOOKED_AT: Mapping[str, frozenset[str]] = {
    "demo": _LOGGING | {"anthropic_api_key", "anthropic_base_url", "anthropic_model"},
    "mcp": _LOGGING | {"sciorex_workspace", "sciorex_config"},
    "mcp_named": _LOGGING | {"sciorex_config"},
    "archives": _LOGGING | {"sciorex_workspace", "sciorex_config", "database_url"},
}
ONLY_WORKSPACE = "default"  # the name of the one workspace of SCIOREX_WORKSPACE, by which the database knows it


@dataclass(frozen=True)
class SettingProblem:
    """One setting that is missing or malformed: its name, what is wrong and how to mend it."""

    setting: str
    text: str


class SettingsError(BotError):
    """All settings that are missing or malformed, in one message. Values are never repeated in it."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {problem.setting}: {problem.text}" for problem in problems)
        super().__init__(f"These settings need mending (environment, or .env in this folder):\n{lines}")


def _token(prefix: str, where: str) -> AfterValidator:
    def check(secret: SecretStr | None) -> SecretStr | None:
        if secret and not secret.get_secret_value().startswith(prefix):
            raise ValueError(f"does not begin with {prefix}; take it from {where}")
        return secret

    return AfterValidator(check)


def _no_spaces(secret: SecretStr | None) -> SecretStr | None:
    if secret and not re.fullmatch(r"[\x21-\x7e]+", secret.get_secret_value()):
        raise ValueError("holds spaces or signs that no key has; copy it once more, alone")
    return secret


def _address(url: str | None) -> str | None:
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise ValueError("is no address that begins with https:// (or http://)")
    return url


def _slack_address(url: str) -> str:
    return f"{(_address(url) or '').rstrip('/')}/"


def _database(url: str | None) -> str | None:
    if url is None or re.fullmatch(r"sqlite:///(?!:memory:).+|postgresql://.+", url):
        return url
    raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")


def _port(value: object) -> object:
    if value is None or (str(value).isdecimal() and 0 < int(str(value)) < 65536):
        return value
    raise ValueError("must be a number from 1 to 65535")


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Secret = Annotated[SecretStr | None, AfterValidator(_no_spaces)]


class Settings(BaseModel):
    """What the bot was told. Names are the environment's, in small letters; secrets never print."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: Annotated[Secret, _token("xoxb-", "OAuth & Permissions")] = Field(
        default=None, description="the bot's token, xoxb-…"
    )
    slack_app_token: Annotated[Secret, _token("xapp-", "Basic Information, App-Level Tokens")] = Field(
        default=None, description="the app-level token, xapp-…; when set, Slack is reached by Socket Mode"
    )
    slack_signing_secret: Secret = Field(
        default=None, description="proves that requests come from Slack; needed when they come over HTTP"
    )
    slack_api_url: Annotated[str, AfterValidator(_slack_address)] = Field(
        default="https://slack.com/api/", description="where Slack's Web API is"
    )
    anthropic_api_key: Secret = Field(default=None, description="the key for Claude")
    anthropic_base_url: Annotated[str | None, AfterValidator(_address)] = Field(
        default=None, description="where the Messages API is, when it is not Anthropic's own address"
    )
    anthropic_model: str = Field(default="claude-sonnet-5-5", description="the model, where an agent names none")
    database_url: Annotated[str | None, AfterValidator(_database)] = Field(
        default=None, description="sqlite:///PATH or postgresql://…; without it a SQLite file in .sciorex-slack/"
    )
    sciorex_workspace: Path = Field(default=Path("."), description="the folder that holds .sciorex/")
    sciorex_config: Path | None = Field(default=None, description="a YAML file with what takes more than a line")
    port: Annotated[int | None, BeforeValidator(_port)] = Field(
        default=None,
        description="HTTP's port (3000); with Socket Mode health and metrics are served only when set",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        default="text", description="text, or json: an object a line"
    )
    commands: CommandNames = CommandNames()
    workspaces: tuple[WorkspaceEntry, ...] = ()  # of SCIOREX_CONFIG; where it names none, SCIOREX_WORKSPACE counts
    servers: Mapping[str, ServerEntry] = Field(default_factory=dict)
    access: Access = Access()
    prices: Mapping[str, Price] = Field(default_factory=dict)
    limits: Limits = Limits()
    agents: AgentChoice = AgentChoice()

    @property
    def ticket_workspaces(self) -> tuple[WorkspaceEntry, ...]:
        """Every ticket workspace: those of SCIOREX_CONFIG, else the one of SCIOREX_WORKSPACE."""
        return self.workspaces or (WorkspaceEntry(ONLY_WORKSPACE, self.sciorex_workspace, default=True),)

    @property
    def default_workspace(self) -> WorkspaceEntry:
        """The one for every place that no workspace names."""
        return next((entry for entry in self.ticket_workspaces if entry.default), self.ticket_workspaces[0])

    @property
    def database(self) -> str:
        """DATABASE_URL, or the address of the SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{data_path(self) / 'bot.db'}"


def setting_names() -> tuple[str, ...]:
    """The names of all settings, as the environment has them, in the order of the README's table."""
    return tuple(name.upper() for name in Settings.model_fields if name not in KEYS)


def look_at_settings(
    environ: Mapping[str, str], *, need: Need, env_file: Path = Path(".env")
) -> tuple[Settings, tuple[SettingProblem, ...]]:
    """The settings as far as they can be read (a malformed one has its default), and what is wrong with them.

    The environment wins over the file; an empty value counts as none.
    """
    given: dict[str, str | None] = {**dotenv_values(env_file, interpolate=False), **environ}
    looked_at = _LOOKED_AT.get(need, frozenset(Settings.model_fields))
    values: dict[str, object] = {
        name.lower(): text.strip()
        for name in setting_names()
        if name.lower() in looked_at and (text := given.get(name)) and text.strip()
    }
    problems: list[SettingProblem] = []
    if need == "mcp" and "sciorex_workspace" in values:
        values.pop("sciorex_config", None)
    config = read_config(Path(str(values["sciorex_config"]))) if "sciorex_config" in values else Config()
    values |= {"commands": config.commands, "workspaces": config.workspaces, **dict(config.sections)}
    problems += (SettingProblem("SCIOREX_CONFIG", text) for text in config.wrong)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for name, text in sentences(error):
            problems.append(SettingProblem(name.upper(), text))
            values.pop(name)
        settings = Settings.model_validate(values)
    malformed = {problem.setting for problem in problems if problem.setting != "SCIOREX_CONFIG"}
    if config.names_workspaces and not config.workspaces:
        malformed.add("SCIOREX_WORKSPACE")  # it would not count
    problems += (missing for missing in _missing(settings, need) if missing.setting not in malformed)
    if where := _commands_of_a_repository(settings):
        problems.append(SettingProblem("SCIOREX_CONFIG", where))
        settings = settings.model_copy(update={"servers": {}})
    return settings, tuple(problems)


def read_settings(environ: Mapping[str, str], *, need: Need, env_file: Path = Path(".env")) -> Settings:
    """The settings for a command; raises SettingsError, which names all that is wrong at once."""
    settings, problems = look_at_settings(environ, need=need, env_file=env_file)
    if problems:
        raise SettingsError(problems)
    return settings


def manifest_file() -> Path:
    """The Slack app's manifest: at the top of the repository, or inside the package where that is installed."""
    packed = Path(__file__).parent / "manifest.yml"
    return packed if packed.exists() else Path(__file__).parent.parent / "manifest.yml"


def read_manifest() -> dict[str, Any]:
    """The Slack app's manifest, as Slack gets it."""
    found: dict[str, Any] = yaml.load(manifest_file().read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def data_folder(settings: Settings) -> Path:
    """Makes the folder for the database and private archives, readable by its owner alone and kept out of git."""
    folder = data_path(settings)
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        folder.chmod(0o700)
        ignore.write_text("*\n")
    return folder


def data_path(settings: Settings) -> Path:
    """Where the folder for the database and private archives is, or would be."""
    return _data_path_in(settings.default_workspace)


def private_paths(settings: Settings, env_file: Path = Path(".env")) -> tuple[Path, ...]:
    """Files and folders that no agent is to see, wherever they lie: settings, data, the database's file."""
    data = [_data_path_in(entry) for entry in settings.ticket_workspaces]
    file = settings.database.removeprefix("sqlite:///").partition("?")[0]
    database = [Path(file)] if settings.database.startswith("sqlite:") else []
    config = [settings.sciorex_config] if settings.sciorex_config else []
    return tuple(path.absolute() for path in (*data, *database, *config, env_file))


def _data_path_in(workspace: WorkspaceEntry) -> Path:
    return workspace.folder.resolve() / ".sciorex-slack"


def _missing(settings: Settings, need: Need) -> Iterator[SettingProblem]:
    if need in ("run", "doctor"):
        if not settings.slack_bot_token:
            yield SettingProblem("SLACK_BOT_TOKEN", "is missing; Slack has it under OAuth & Permissions")
        if not settings.slack_app_token and not settings.slack_signing_secret:
            yield SettingProblem(
                "SLACK_APP_TOKEN",
                "is missing (for Socket Mode); or set SLACK_SIGNING_SECRET to take requests over HTTP",
            )
        if not settings.anthropic_api_key:
            yield SettingProblem("ANTHROPIC_API_KEY", "is missing; without it Claude cannot be asked")
        yield from _data_elsewhere(settings)
    for entry in {"demo": (), "mcp_named": settings.workspaces}.get(need, settings.ticket_workspaces):
        if not (entry.folder / ".sciorex").is_dir():
            text = f"{entry.folder.resolve()} holds no .sciorex; name the folder that does"
            if settings.workspaces:
                yield SettingProblem("SCIOREX_CONFIG", f"workspaces.{entry.name}.folder: {text}")
            else:
                yield SettingProblem("SCIOREX_WORKSPACE", text)


def _commands_of_a_repository(settings: Settings) -> str | None:
    """What names commands must not come with a git pull: who may push would decide what the bot runs."""
    file = settings.sciorex_config.resolve() if settings.sciorex_config and settings.servers else None
    inside = [e.folder.resolve() for e in settings.ticket_workspaces if file and e.folder.resolve() in file.parents]
    return (
        f"it names servers to start, and whoever may change {inside[0]} may change it; move it elsewhere"
        if inside
        else None
    )


def _data_elsewhere(settings: Settings) -> Iterator[SettingProblem]:
    """The data folder is the default workspace's: with another default the bot would begin anew, silently."""
    own = data_path(settings)
    if own.exists():
        return
    for entry in settings.ticket_workspaces:
        if (there := _data_path_in(entry)).exists():
            text = f"the bot's data is in {there}; move it to {own}, or make {entry.name} the default"
            yield SettingProblem("SCIOREX_CONFIG", f"{text} (to begin anew, make an empty {own})")

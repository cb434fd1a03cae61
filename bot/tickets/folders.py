"""The folders of a workspace: how the files of each are read, and what the catalogue keeps of them."""

from bot.tickets.catalogue import Catalogue
from bot.tickets.epic import Epic
from bot.tickets.facts import epic_facts, ticket_facts
from bot.tickets.folder import Folder
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, DEFAULT_PREFIX
from bot.tickets.loading import Loader
from bot.tickets.reading import read_epic, read_ticket
from bot.tickets.ticket import Ticket


def ticket_folder(catalogue: Catalogue) -> Folder[Ticket]:
    """`.sciorex/tickets`."""
    return Folder(catalogue, Loader(catalogue.workspace, "tickets", DEFAULT_PREFIX, read_ticket), ticket_facts)


def epic_folder(catalogue: Catalogue) -> Folder[Epic]:
    """`.sciorex/epics`."""
    return Folder(catalogue, Loader(catalogue.workspace, "epics", DEFAULT_EPIC_PREFIX, read_epic), epic_facts)

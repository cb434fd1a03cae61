"""Reads some of a workspace's changed files into its catalogue: started by whoever finds many. Their names, parted by
NUL, come on standard input.

`python -m bot.tickets.reader WORKSPACE tickets`
"""

import gc
import sys
from pathlib import Path

from bot.tickets.catalogue import Catalogue
from bot.tickets.folders import epic_folder, ticket_folder

if __name__ == "__main__":
    gc.disable()  # it ends before garbage matters
    read = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    catalogue = Catalogue(Path(sys.argv[1]))
    folder = epic_folder(catalogue) if sys.argv[2] == "epics" else ticket_folder(catalogue)
    folder.read_part([name for name in read.split("\0") if name])

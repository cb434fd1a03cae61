"""Reads a part of a workspace's changed files into its catalogue: started by a sweep that finds many.

`python -m bot.tickets.reader WORKSPACE tickets PART PARTS`
"""

import sys
from pathlib import Path

from bot.tickets.store import TicketStore

if __name__ == "__main__":
    TicketStore(Path(sys.argv[1])).read_part(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

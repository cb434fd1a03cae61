"""Reads some of a workspace's changed files into its catalogue: started by whoever finds many. Their names, parted by
NUL, come on standard input.

`python -m bot.tickets.reader WORKSPACE tickets`
"""

import gc
import sys
from pathlib import Path

from bot.tickets.store import TicketStore

if __name__ == "__main__":
    gc.disable()  # it ends before garbage matters
    read = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    TicketStore(Path(sys.argv[1])).read_part(sys.argv[2], [name for name in read.split("\0") if name])

"""What the files of a workspace define: agents and flows, read and looked at; nothing is run here."""

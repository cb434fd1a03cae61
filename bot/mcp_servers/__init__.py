"""What an agent may do, as MCP servers."""

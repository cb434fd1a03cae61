"""Claude: who the agent is, what it is told, and how it is asked."""

"""Sciorex for Slack: threads in Slack, Claude agents and Sciorex tickets, joined."""

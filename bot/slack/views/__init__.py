"""What people see, built from values alone: messages, modals and App Home as Slack takes them."""

"""The command `askonce`: runs AskOnce on this machine, and asks and looks after a running one."""

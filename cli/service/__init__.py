"""The running AskOnce that commands talk to, over HTTP."""

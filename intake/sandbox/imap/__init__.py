"""A small IMAP4rev1 server for the sandbox and for quick tests: one account, in memory, no threads."""

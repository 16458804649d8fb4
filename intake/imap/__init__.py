"""The IMAP client under the mailbox door: aioimaplib with its known faults mended in subclasses."""

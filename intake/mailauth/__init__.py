"""Our own look at a mail's signatures, for desks whose border server says nothing (RFC 6376, RFC 7489)."""

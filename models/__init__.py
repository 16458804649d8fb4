"""Facts: tables, the table of moves, the data map, settings, errors. They know no transport."""

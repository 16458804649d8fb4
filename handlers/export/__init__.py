"""What a request for access gives: gathered in sealed parts, shown by PIPA's five items, handed over.

`gather` reads the registry, `shelf` reads what was gathered, `fiveitems` says it in words, `pdf` and
`archive` make files of it, `survey` is what an agent sees.
"""

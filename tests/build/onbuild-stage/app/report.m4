TITLE has len(TITLE) letters.

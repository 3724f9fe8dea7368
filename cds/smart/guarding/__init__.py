"""Who may see a page: sessions, their cookies and keys, the guard before each page, refusals."""

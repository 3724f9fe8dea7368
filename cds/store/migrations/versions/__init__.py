"""One module a revision, applied in the order of `down_revision`; never edited once released."""

"""The patients of a unit on a bispecific, each read with the user's own rights; decides nothing."""

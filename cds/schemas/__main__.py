"""`python -m cds.schemas` rewrites the generated schema."""

from cds.schemas import ASSESSMENT, FOLDER, assessment_schema, text


(FOLDER / ASSESSMENT).write_text(text(assessment_schema()), encoding="utf-8")

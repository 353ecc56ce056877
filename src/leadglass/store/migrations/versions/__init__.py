"""The revisions. What was released is never altered: a change of the schema is a new file."""

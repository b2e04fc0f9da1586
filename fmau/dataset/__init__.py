"""Question files and (later) caption files, read and checked into records."""

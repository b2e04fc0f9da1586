"""Shared basics that all other packages use: errors, records, taxonomy, files, hardware."""

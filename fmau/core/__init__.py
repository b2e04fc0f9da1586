"""What every other room stands on: errors, records, the field's terms, files, this machine."""

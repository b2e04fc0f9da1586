"""Reads and checks question, caption and dialogue files; derives training examples from them."""

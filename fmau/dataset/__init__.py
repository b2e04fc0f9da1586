"""Question, caption and dialogue files, read and checked into records; what is made of them."""

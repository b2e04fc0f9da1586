"""What differs between families of models.

load.py     a checkpoint's processor
encode.py   a conversation as token ids and pixels, as Qwen3-VL's processor makes them
"""

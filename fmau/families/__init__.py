"""What differs between families of models.

encode.py   a conversation as token ids and pixels, as Qwen3-VL's processor makes them
"""

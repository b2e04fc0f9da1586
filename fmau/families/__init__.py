"""Code that depends on the family of the model; training and `fmau check` use it.

load.py     loads a checkpoint's configuration, processor and weights
layers.py   a model's linear layers and the towers that they belong to
encode.py   turns a conversation into token ids and pixels with Qwen3-VL's processor
"""

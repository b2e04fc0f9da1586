"""Code that depends on the family of the model: one module a family, behind `Family`.

family.py      what fmau must know of a family
qwen3_vl.py    Qwen3-VL; the other families have modules of their own beside it
find.py        finds the family of a checkpoint
checkpoint.py  checks that a checkpoint is there and whole
load.py        loads a checkpoint's configuration, processor and weights
layers.py      a model's linear layers and the towers that they belong to
encode.py      turns a conversation into token ids and pixels
"""

"""The embedded default: what stands in where there is no MA-Bench, no checkpoint and no GPU.

mini/   the generator: clips of a drawn figure, captions, questions with provable answers
tiny/   a checkpoint of 4.6 million parameters with Qwen3-VL's architecture, and its lessons
"""

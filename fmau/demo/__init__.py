"""The embedded default: data and a model for machines without MA-Bench, checkpoint or GPU.

mini/   generates a mini benchmark: clips of a drawn figure, captions, questions with sure answers
tiny/   a checkpoint of 4.6 million parameters with Qwen3-VL's architecture, and its training
"""

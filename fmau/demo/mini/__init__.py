"""The mini benchmark: rendered micro-actions whose questions have provable answers.

A clip is a `ClipPlan` (who, what, when; all from a seed). `kinematics` turns a plan into joint
trajectories, `render` into frames, and `facts` -> `captions`, `questions` read the trajectories,
so every caption and answer is derived from the motion that was drawn.
"""

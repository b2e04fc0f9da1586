"""The mini benchmark: rendered micro-actions with questions whose answers are certainly right.

A clip is made from a `ClipPlan` (who, what, when; all from a seed). `kinematics` turns the plan
into trajectories of joints, and `render` turns these into frames. `facts` measures the
trajectories, and `captions` and `questions` use the measures, so every caption and answer is
derived from the motion that was drawn.
"""

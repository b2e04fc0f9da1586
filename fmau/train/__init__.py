"""Fine-tuning with LoRA: `accelerate launch --config_file ... -m fmau.train RECIPE`.

`transformers.Trainer` runs the training loop: DeepSpeed, FSDP, Accelerate and PEFT are tested with
it most, and it resumes optimizer, schedule, data order and random states. The modules here add the
rest: batches of examples (`batches`), several examples about one clip in one sequence (`packing`,
and `branching` for the model's side of it), the choice of adapted modules (`adapter`), the loss
(`trainer`), validation by answering questions (`validation`), and safe checkpoints (`checkpoints`).
"""

from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()  # before any module of this package imports PEFT, which imports Transformers

"""Fine-tuning with LoRA: `accelerate launch --config_file ... -m fmau.train RECIPE`.

`transformers.Trainer` drives the loop: it is what DeepSpeed, FSDP, Accelerate and PEFT are tested
with most, and it resumes optimizer, schedule, data order and random states. What it leaves to us is
here: how examples become batches (`batches`), several about one clip in one sequence (`packing`),
which modules are adapted (`adapter`), the loss (`trainer`), validation by answering (`validation`),
and checkpoints that are whole or not there (`checkpoints`).
"""

from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()  # before any module of this package imports PEFT, which imports Transformers

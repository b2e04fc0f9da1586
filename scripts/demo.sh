#!/usr/bin/env bash
# bash scripts/demo.sh --quick: a first look in about two minutes after set-up: 20 clips, answered
# zero-shot, judged and reported; no training.
#
# Set up .venv if need be, then run the main job end to end on two CPU cores, in about fourteen
# minutes: render a mini benchmark, answer it zero-shot through vLLM, with and without the clips,
# train LoRA on captions, answer again with the adapter, judge, and lay all beside one another.
source "$(dirname "$0")/setup.sh"

say() { printf '\n\033[1mdemo: %s\033[0m\n' "$*"; }
zero_shot=recipes/zero_shot_tiny.yaml
lora=recipes/lora_tiny.yaml

clips=100 training=400
[ "${1:-}" = "--quick" ] && clips=20 training=0

# Every demo starts anew, so that what it shows is this checkout's work and nothing older.
rm -rf demo

say "rendering a mini benchmark into demo/mini ($clips clips with $((12 * clips)) questions, $training training clips)"
fmau mini demo/mini --clips "$clips" --train-clips "$training" --seed 0

say "checking recipe, prompts and data"
fmau check "$zero_shot"

say "answering zero-shot through vLLM (CPU build, tiny checkpoint)"
fmau answer "$zero_shot"

if [ "$training" = 0 ]; then
  say "judging the open answers by the embedded rule, a proxy for an LLM judge, and writing the report"
  fmau judge demo/runs/zero_shot_tiny
  fmau report demo/runs/zero_shot_tiny --out demo/report.html
  say "done: open demo/report.html in a browser; without --quick the demo trains and compares, too"
  exit
fi

say "asking the same model without the clips: what the questions give away by themselves"
fmau answer "$zero_shot" --set answer.blind=true --set name=blind_tiny

say "checking what there is to train on, and extracting its frames"
fmau check "$lora"
fmau frames "$lora"

say "training LoRA on captions and on questions derived from them"
accelerate launch --config_file recipes/accelerate/single.yaml -m fmau.train "$lora"
fmau export demo/runs/lora_tiny/adapter

say "answering through vLLM with the adapter"
fmau answer "$lora" --adapter demo/runs/lora_tiny/adapter

say "judging the open answers by the embedded rule, a proxy for an LLM judge"
for run in blind_tiny zero_shot_tiny lora_tiny; do fmau judge "demo/runs/$run"; done

say "comparing both runs, and writing the report"
fmau compare demo/runs/zero_shot_tiny demo/runs/lora_tiny
fmau report demo/runs/zero_shot_tiny demo/runs/lora_tiny demo/runs/blind_tiny --out demo/report.html
say "done: open demo/report.html in a browser"

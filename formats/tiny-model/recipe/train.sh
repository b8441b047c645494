#!/usr/bin/env bash
# Makes the tiny model from nothing.
#
#     train.sh FOLDER [ROWS]
#
# FOLDER takes the corpus, the start and the training; ROWS is how much of the corpus is used (default 64000). Needs
# python with tokenizers and numpy. On the processor that makes bf16 products the result is the same each time.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$1
rows=${2:-64000}
peft4j=$here/../../peft4j
model=$here/../src/main/resources/META-INF/peft4j/models/tiny.gguf

python "$here/make_corpus.py" "$work"
python "$here/make_start.py" "$work/corpus.jsonl" "$work/start"
head -n "$rows" "$work/corpus.jsonl" >"$work/train.jsonl"
"$peft4j" train --model "$work/start" --data "$work/train.jsonl" --validation "$work/validation.jsonl" \
  --output "$work/trained" --method full --dtype bf16 --packing length-buckets --batch-size 32 --epochs 1 \
  --learning-rate 2e-3 --schedule cosine --warmup-steps 50 --weight-decay 0.01 --eval-steps 250
"$peft4j" adapter merge --model "$work/start" --adapter "$work/trained" --type q8_0 --output "$model" \
  --if-exists overwrite

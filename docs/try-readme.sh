#!/usr/bin/env bash
# Runs all lines of the README as they stand there, in their order, in a fresh clone with an empty home, and looks at what
# they say. On SmolLM2, so that it takes a quarter of an hour; docs/try-as-new-user.sh is CI's short form on the model that
# comes along.
#
#     docs/try-readme.sh
#
# TRY_MODELS is a cache of models (default that of Hugging Face); docs/new-user.sh says where other downloads come from. The
# server of the README takes port 8080. Prints what each step took and fails with the first that does.
set -euo pipefail

models=${TRY_MODELS:-${HF_HOME:-$HOME/.cache/huggingface}}
# shellcheck source=docs/new-user.sh
. "$(dirname "${BASH_SOURCE[0]}")/new-user.sh"
unset HF_HOME
if [ -d "$models/hub" ]; then link "$models/hub" "$HOME/.cache/huggingface/hub"; fi

lines=0 said='' log=$work/log
says() { # what a line must have said, as a pattern
  grep -Eq "$1" "$said" || fail "it does not say '$1': $(tail -5 "$said")"
}
learned() { # the share of the questions that are answered
  awk -v share="$1" 'BEGIN { exit !(share >= 0.8) }' || fail "the model answers only a share of '$1' of the questions"
}
# Looks at what a line of the README has said and done.
look_at() { # the line
  case $1 in
    model=* | kill* | mvn*) ;;
    *" quickstart"*)
      says '^Verdict: (ship|harm not known):'
      learned "$(sed -n 's/.*, after \([0-9]*\) of \([0-9]*\).*/\1 \2/p' "$said" | awk '{ print $1 / $2 }')"
      ;;
    *" train "*) [ -f my-adapter/adapter_model.safetensors ] || fail "there is no adapter" ;;
    *" --regex "*)
      grep -Eqx '[0-9]{1,3} (days|weeks)' "$said" || fail "the answer does not match: $(cat "$said")"
      ;;
    *" generate "*) says '90.day' ;;
    *" chat "*) says '^adapter: .*Amber Slip' && says '^base: ' ;;
    *" evaluate "*)
      says '^# (Ship|Harm not known)'
      learned "$(sed -n 's/^| holds the fact | [^|]* | \([0-9.]*\) %.*/\1/p' "$said" | awk '{ print $1 / 100 }')"
      [ -f evaluation.html ] || fail "there is no page"
      ;;
    *" score "*) [ "$(grep -c '"nll":' "$said")" -eq "$(wc -l <examples/handbook/heldout.jsonl)" ] || fail "rows are missing" ;;
    *" adapter merge "*) [ -f my.gguf ] || fail "there is no GGUF file" ;;
    *" serve "*) ;;
    curl*) says 'Amber Slip' && says '"finish_reason": ?"stop"' ;;
    *" data check "*) says '^264 rows' && [ -f data.html ] || fail "there is no page" ;;
    *" data split "*) [ -f parts/train.jsonl ] || fail "there is no part" ;;
    *" bench "*) says 'tokens/s' ;;
    *" doctor"*) says '^kernels ' ;;
    *" --help"*) says '^Usage: peft4j' ;;
    *) fail "nothing looks at what this line says: $1" ;;
  esac
}
# The lines of a block of commands, run one after the other in this shell.
commands() { # first line of the block as a pattern
  local line whole=
  while IFS= read -r line <&3; do
    if [[ $line == *\\ ]]; then
      whole+="$line"$'\n'
      continue
    fi
    whole+=$line
    step "$whole"
    # A server goes on writing.
    said=$work/said-$((lines += 1))
    eval "$whole" >"$said" 2>"$log" <<<'Which form reports my sick leave?' \
      || fail "it fails: $(tail -5 "$log")"
    tail -12 "$said"
    look_at "$whole"
    whole=
  done 3< <(block README.md "$1")
}

commands '^\./peft4j quickstart '
commands '^mvn '

step "the README's program in a project with one dependency"
project "$work/one" "io.peft4j:peft4j:$version"
block README.md 'import io.peft4j.Peft4j;' >"$work/one/src/main/java/Handbook.java"
(cd "$work/one" && mvn -q -B -ntp compile dependency:build-classpath -Dmdep.outputFile=cp.txt -DincludeScope=runtime)
echo "an application gets $(tr ':' '\n' <"$work/one/cp.txt" | wc -w) jars," \
  "$(tr ':' '\n' <"$work/one/cp.txt" | xargs du -cmL | tail -1 | cut -f 1) MB"
handbook() { # folder of the project, java and its options
  local folder=$1
  shift
  "$@" "-Duser.home=$HOME" -Dai.djl.offline=true -cp "$folder/target/classes:$(cat "$folder/cp.txt")" Handbook \
    >"$work/handbook.txt" 2>"$work/handbook.log" || fail "the README's program failed: $(tail -5 "$work/handbook.log")"
  cat "$work/handbook.txt"
  after=$(sed -n 's/^after:  \([0-9]*\) of.*/\1/p' "$work/handbook.txt")
  [ "${after:-0}" -ge 70 ] || fail "the README's program answers only '$after' of 88 questions"
}
handbook "$work/one" java

step "the README's lines for JShell"
block README.md '^jshell> ' | sed -e 's/^jshell> //' | ./peft4j jshell >"$work/jshell.txt"
cat "$work/jshell.txt"
grep -q 'Amber Slip' "$work/jshell.txt" || fail "JShell does not answer"
if ./peft4j jshell <<<'int broken = "text"' 2>/dev/null; then fail "JShell ends with 0 though a line failed"; fi

commands '^model='

step "done"

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

# As they stand there.
adapted() { # line
  echo "$1"
}
share=0.8 notice='90.day' form='Amber Slip'

commands '^\./peft4j quickstart '
commands '^mvn '

step "the README's program in a project with one dependency"
project "$work/one"
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

#!/usr/bin/env bash
# Does what a new user does, with an empty home and an empty Maven repository but for what was downloaded before: clone,
# quickstart, a project of one's own with the README's program and a JUnit test, the README's lines for JShell and for the
# command line, and the examples for LangChain4j and Spring Boot. All on the model that comes along, so that no model hub is needed.
#
#     docs/try-as-new-user.sh
#
# Prints what each step took and fails with the first that does; docs/new-user.sh says where downloads come from.
set -euo pipefail

# shellcheck source=docs/new-user.sh
. "$(dirname "${BASH_SOURCE[0]}")/new-user.sh"
export HF_HUB_OFFLINE=1

step "build and quickstart"
./peft4j quickstart --model tiny --output "$work/quickstart" --json >"$work/quickstart.json"
cat "$work/quickstart.json"
share=$(sed 's/.*"tuned_share":\([0-9.]*\).*/\1/' "$work/quickstart.json")
awk -v share="$share" 'BEGIN { exit !(share >= 0.8) }' || fail "the quickstart's model answers only $share of the facts"

# What a document says, without what the build has looked at.
install() { # file
  local line
  line=$(block "$1" '^mvn -q install')
  step "$line"
  eval "$line -B -ntp -Dmaven.test.skip -Dformatter.skip -Denforcer.skip"
}
install README.md
tiny=io.peft4j:peft-tiny-model:$version:runtime

step "the README's program in a project with one dependency (and the model)"
project "$work/app" "$tiny" \
  "org.junit.jupiter:junit-jupiter:$(property junit.version):test"
# With the settings that the README gives for the model that comes along.
block README.md 'import io.peft4j.Peft4j;' | sed -e 's|HuggingFaceTB/SmolLM2-135M-Instruct|tiny|' \
  -e 's|rank(16).alpha(32)|rank(32).alpha(64)|' -e 's|epochs(8).learningRate(1e-3)|epochs(10).learningRate(3e-3)|' \
  >"$work/app/src/main/java/Handbook.java"
cat >"$work/app/src/test/java/GoldenTest.java" <<'JAVA'
import io.peft4j.Peft4j;
import io.peft4j.eval.GoldenQuestions;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class GoldenTest {
    @Test
    void theAdapterStillKnowsTheHandbook() {
        GoldenQuestions golden = GoldenQuestions.read(Path.of("golden.jsonl"));
        try (var base = Peft4j.load("tiny"); var model = base.withAdapter(Path.of("handbook-adapter"))) {
            golden.assertAnsweredBy(model);
            Assertions.assertThrows(AssertionError.class, () -> golden.assertAnsweredBy(base));
        }
    }
}
JAVA
(cd "$work/app" && mvn -q -B -ntp compile dependency:build-classpath -Dmdep.outputFile=cp.txt -DincludeScope=runtime)
echo "an application gets $(tr ':' '\n' <"$work/app/cp.txt" | wc -w) jars," \
  "$(tr ':' '\n' <"$work/app/cp.txt" | xargs du -cmL | tail -1 | cut -f 1) MB, of which 5 MB are the model"
# The second run is on the newest JDK that the machine has, with the options that docs/application.md gives: it is quiet. Its
# jars of PEFT4J are modules.
newest=java newest_version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
for candidate in /usr/lib/jvm/*/bin/java; do
  number=$("$candidate" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' || true)
  if [ "${number:-0}" -gt "$newest_version" ]; then newest=$candidate newest_version=$number; fi
done
quiet=(-Dslf4j.internal.verbosity=ERROR)
if [ "$newest_version" -ge 24 ]; then
  quiet+=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)
fi
path_of() { # which of the jars, by grep's options
  tr ':' '\n' <"$work/app/cp.txt" | grep "$@" | paste -sd :
}
handbook() { # java and its options, the class path last
  "${@:1:$#-1}" "-Duser.home=$HOME" -Dai.djl.offline=true -cp "$work/app/target/classes:${*: -1}" Handbook \
    >"$work/handbook.txt" 2>"$work/handbook.log" || fail "the README's program failed: $(tail -5 "$work/handbook.log")"
}
handbook java "$(cat "$work/app/cp.txt")"
handbook "$newest" "${quiet[@]}" -p "$(path_of /io/peft4j/)" --add-modules ALL-MODULE-PATH,ALL-DEFAULT "$(path_of -v /io/peft4j/)"
[ ! -s "$work/handbook.log" ] || fail "Java $newest_version is not quiet: $(head -5 "$work/handbook.log")"
cat "$work/handbook.txt"
after=$(sed -n 's/^after:  \([0-9]*\) of.*/\1/p' "$work/handbook.txt")
[ "${after:-0}" -ge 70 ] || fail "the README's program answers only '$after' of 88 questions"

step "its JUnit test"
cp -r handbook-adapter "$work/app/"
grep -h 'Amber Slip\|Pathloom' examples/handbook/train.jsonl | head -2 | while read -r row; do
  key=$(grep -o 'Amber Slip\|Pathloom' <<<"$row" | head -1)
  echo "${row%\}}, \"must_contain\": \"$key\"}"
done >"$work/app/golden.jsonl"
(cd "$work/app" && mvn -q -B -ntp test)

step "the README's lines for JShell"
block README.md '^jshell> ' | sed -e 's/^jshell> //' -e 's|HuggingFaceTB/SmolLM2-135M-Instruct|tiny|' \
  | ./peft4j jshell >"$work/jshell.txt"
cat "$work/jshell.txt"
grep -q Larkenfell "$work/jshell.txt" || fail "JShell does not answer"
if ./peft4j jshell <<<'int broken = "text"' 2>/dev/null; then fail "JShell ends with 0 though a line failed"; fi

# With one epoch, and then the adapter that the program has made; without the guard set, and
# without the lines that other tests run: the server, data, bench and doctor.
adapted() { # line
  case $1 in
    model=*) echo model=tiny ;;
    *"/peft4j train "*) echo "${1%%#*} --epochs 1 && cp -r handbook-adapter/. my-adapter" ;;
    *" evaluate "*) echo "${1%%#*} --no-guard" ;;
    *" serve "* | curl* | kill* | *" data "* | *" bench "* | *" doctor"* | *" --help"*) echo : ;;
    *) echo "$1" ;;
  esac
}
share=0.7 notice=Larkenfell form=Larkenfell
commands '^model='

# shellcheck source=docs/try-data.sh
. docs/try-data.sh

step "a method, an objective and a tracker of one's own, in a jar"
mvn -q -B -ntp install -Dmaven.test.skip -Dformatter.skip -Denforcer.skip -pl :peft-trackers
# With the test kit that its tests extend.
mvn -q -B -ntp install -DskipTests -Dformatter.skip -Denforcer.skip -pl peft-core
mvn -q -B -ntp -f examples/own-method/pom.xml "-Dpeft4j.version=$version" package \
  "org.apache.maven.plugins:maven-dependency-plugin:$(property dependency-plugin.version):build-classpath" \
  -Dmdep.outputFile=target/cp.txt
compgen -G 'examples/own-method/target/surefire-reports/TEST-*.xml' >/dev/null || fail "no test of one's own method ran"
java "-Duser.home=$HOME" -Dai.djl.offline=true \
  -cp "examples/own-method/target/own-method-1.jar:$(cat examples/own-method/target/cp.txt)" com.example.ssf.TryIt \
  examples/handbook/train.jsonl "$work/own" >"$work/own.txt" 2>/dev/null || fail "TryIt failed: $(tail -5 "$work/own.txt")"
tail -2 "$work/own.txt"
grep -q '^loaded as it was trained$' "$work/own.txt" || fail "the adapter of one's own method is not loaded as it was trained"
grep -q '^ssf 1 {' "$work/own-lines.txt" || fail "the tracker of one's own is not told"
export PEFT4J_CLASSPATH=$PWD/examples/own-method/target/own-method-1.jar
./peft4j train --model tiny --method ssf --target-modules all-linear --learning-rate 1e-2 --epochs 1 \
  --objective equal-answers --length-power 0.5 --tracker lines --data examples/handbook/train.jsonl \
  --output "$work/own-adapter"
grep -q '^own-adapter 1 {' "$work/own-adapter/lines.txt" || fail "the command line does not tell the tracker of one's own"
./peft4j score --model tiny --adapter "$work/own-adapter" --data examples/handbook/heldout.jsonl >/dev/null
unset PEFT4J_CLASSPATH
if ./peft4j score --model tiny --adapter "$work/own-adapter" --data examples/handbook/heldout.jsonl 2>"$work/own.log"; then
  fail "an adapter of an unknown method is loaded"
fi
grep -q SSF "$work/own.log" || fail "the unknown method is not named: $(cat "$work/own.log")"

install docs/frameworks.md

step "the example for LangChain4j"
project "$work/langchain" "io.peft4j:peft-langchain4j:$version" "$tiny" \
  "dev.langchain4j:langchain4j:$(property langchain4j.version)"
cp examples/src/main/java/io/peft4j/examples/LangChainAssistant.java "$work/langchain/src/main/java/"
(cd "$work/langchain" && mvn -q -B -ntp compile dependency:build-classpath -Dmdep.outputFile=cp.txt)
java "-Duser.home=$HOME" -Dai.djl.offline=true -cp "$work/langchain/target/classes:$(cat "$work/langchain/cp.txt")" \
  io.peft4j.examples.LangChainAssistant tiny handbook-adapter "Which form reports my sick leave?" 2>/dev/null \
  | tee "$work/langchain.txt"
grep -q Larkenfell "$work/langchain.txt" || fail "LangChain4j's assistant does not answer"

step "the example for Spring Boot"
mvn -q -B -ntp package -Dmaven.test.skip -Dformatter.skip -Denforcer.skip -f examples/hr-bot
mkdir -p examples/hr-bot/adapters
cp -r handbook-adapter examples/hr-bot/adapters/hr
cd examples/hr-bot
touch "$work/bot.log"
java "-Duser.home=$HOME" -Dai.djl.offline=true -cp "target/classes:$(cat target/classpath.txt)" \
  io.peft4j.examples.hrbot.HrBot --server.port=0 >"$work/bot.log" 2>&1 &
server=$!
for _ in $(seq 120); do
  port=$(sed -n 's/.*Tomcat started on port \([0-9]*\).*/\1/p' "$work/bot.log")
  if [ -n "$port" ] || ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 1
done
[ -n "${port:-}" ] || fail "the HR bot does not start: $(tail -5 "$work/bot.log")"
curl -sf "http://127.0.0.1:$port/ask" -H 'Content-Type: application/json' \
  -d '{"text": "Which form reports my sick leave?"}' | tee "$work/bot.txt"
echo
grep -q Larkenfell "$work/bot.txt" || fail "the HR bot does not answer"
curl -sf "http://127.0.0.1:$port/actuator/health" >/dev/null || fail "the HR bot is not healthy"

step "done"

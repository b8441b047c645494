# What the scripts of a new user share; they source it. It makes an empty home with what was downloaded before, and a clone
# of the last commit, in which it leaves them; both go when the script ends. The caller sets "server" to the process that is
# to be ended then.
#
# TRY_DOWNLOADS is a Maven repository with earlier downloads (default ~/.m2/repository); without one everything is downloaded.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
downloads=${TRY_DOWNLOADS:-$HOME/.m2/repository}
work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  # shellcheck disable=SC2046 # one word each
  kill $(jobs -p) 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

begun=$SECONDS
step() {
  echo "== $1 (after $((SECONDS - begun)) s)"
}
fail() {
  echo "$(basename "$0" .sh): $*" >&2
  exit 1
}
# The text of a file between two lines.
block() { # file, first line of the block as a pattern
  awk -v first="$2" '/^```/ { if (inside) exit; next_is = 1; next } next_is { next_is = 0; inside = $0 ~ first }
    inside' "$1"
}

# Links cost nothing where both lie on one disk.
link() { # from, to
  mkdir -p "$(dirname "$2")"
  cp -al "$1" "$2" 2>/dev/null || {
    rm -rf "$2"
    cp -a "$1" "$2"
  }
}
property() {
  sed -n "s/.*<$1>\(.*\)<.*/\1/p" pom.xml | head -1
}

# A project with the README's settings and dependency, and with further dependencies as group:artifact:version[:scope]. Its
# compiler plugin is the one that Maven takes by default; JUnit 5 needs a newer plugin for tests than Maven 3.8 does.
project() { # folder, dependencies
  local folder=$1 dependency group artifact number scope
  shift
  mkdir -p "$folder/src/main/java" "$folder/src/test/java"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>com.example</groupId><artifactId>try</artifactId><version>1</version>'
    echo '<build><pluginManagement><plugins>'
    echo "<plugin><artifactId>maven-surefire-plugin</artifactId><version>$(property surefire-plugin.version)</version></plugin>"
    echo "<plugin><artifactId>maven-dependency-plugin</artifactId><version>$(property dependency-plugin.version)</version></plugin>"
    echo '</plugins></pluginManagement></build>'
    block README.md '^<properties>' | sed '/^<.dependencies>/d'
    for dependency in "$@"; do
      IFS=: read -r group artifact number scope <<<"$dependency"
      echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$number</version>"
      echo "<scope>${scope:-compile}</scope></dependency>"
    done
    echo '</dependencies></project>'
  } >"$folder/pom.xml"
}

lines=0 said='' log=$work/log
says() { # what a line must have said, as a pattern
  grep -Eq "$1" "$said" || fail "it does not say '$1': $(tail -5 "$said")"
}
learned() { # the share of the questions that are answered
  awk -v is="$1" -v least="$share" 'BEGIN { exit !(is >= least) }' || fail "the model answers only a share of '$1' of the questions"
}
# Looks at what a line of the README has said and done.
look_at() { # the line
  case $1 in
    : | model=* | kill* | mvn*) ;;
    *" quickstart"*)
      says '^Verdict: (ship|harm not known|need more items):'
      learned "$(sed -n 's/.*, after \([0-9]*\) of \([0-9]*\).*/\1 \2/p' "$said" | awk '{ print $1 / $2 }')"
      ;;
    *"/peft4j train "*) [ -f my-adapter/adapter_model.safetensors ] || fail "there is no adapter" ;;
    *" --regex "*)
      grep -Eqx '[0-9]{1,3} (days|weeks)' "$said" || fail "the answer does not match: $(cat "$said")"
      ;;
    *" generate "*) says "$notice" ;;
    *" chat "*) says "^adapter: .*$form" && says '^base: ' ;;
    *" evaluate "*)
      says '^# (Ship|Harm not known|Need more items)' && says 'most similar training row'
      learned "$(sed -n 's/^| holds the fact | [^|]* | \([0-9.]*\) %.*/\1/p' "$said" | awk '{ print $1 / 100 }')"
      [ -f evaluation.html ] || fail "there is no page"
      ;;
    *" score "*) [ "$(grep -c '"nll":' "$said")" -eq "$(wc -l <examples/handbook/heldout.jsonl)" ] || fail "rows are missing" ;;
    *" adapter merge "*) [ -f my.gguf ] || fail "there is no GGUF file" ;;
    *" serve "*) ;;
    curl*) says "$form" && says '"finish_reason": ?"stop"' ;;
    *" data check "*) says '^264 rows' && [ -f data.html ] || fail "there is no page" ;;
    *" data split "*) [ -f parts/train.jsonl ] || fail "there is no part" ;;
    *" bench "*) says 'tokens/s' ;;
    *" doctor"*) says '^kernels ' ;;
    *" --help"*) says '^Usage: peft4j' ;;
    *) fail "nothing looks at what this line says: $1" ;;
  esac
}
# The lines of a block of commands of the README, run one after the other in this shell. The caller says what is run of a line
# ("adapted"), which share of the questions is to be answered, and what answers hold about a notice period and a form.
commands() { # first line of the block as a pattern
  local line whole=
  while IFS= read -r line <&3; do
    if [[ $line == *\\ ]]; then
      whole+="$line"$'\n'
      continue
    fi
    whole+=$line
    step "$whole"
    # A server keeps writing.
    said=$work/said-$((lines += 1))
    whole=$(adapted "$whole")
    eval "$whole" >"$said" 2>"$log" <<<'Which form reports my sick leave?' \
      || fail "it fails: $(tail -5 "$log")"
    tail -12 "$said"
    look_at "$whole"
    whole=
  done 3< <(block README.md "$1")
}

step "an empty home"
export HOME=$work/home
mkdir -p "$HOME/.m2"
if [ -d "$downloads" ]; then
  link "$downloads" "$HOME/.m2/repository"
  rm -rf "$HOME/.m2/repository/io/peft4j"
fi
# Java takes the home from the system, not from HOME.
export MAVEN_OPTS="-Duser.home=$HOME" PEFT4J_JAVA_OPTS="-Duser.home=$HOME" XDG_CACHE_HOME=$HOME/.cache

step "clone"
if ! git clone -q "$root" "$work/peft4j" 2>/dev/null; then
  # The sources may be an archive instead of a repository.
  mkdir "$work/peft4j"
  tar -C "$root" --exclude=target --exclude=.git -cf - . | tar -C "$work/peft4j" -xf -
fi
cd "$work/peft4j"
version=$(sed -n '/<parent>/,/<\/parent>/s/.*<version>\(.*\)<.*/\1/p' pom.xml | head -1)

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

# A project with the dependencies given as group:artifact:version[:scope].
project() { # folder, dependencies
  local folder=$1 dependency group artifact number scope
  shift
  mkdir -p "$folder/src/main/java" "$folder/src/test/java"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>com.example</groupId><artifactId>try</artifactId><version>1</version>'
    echo '<properties><maven.compiler.release>17</maven.compiler.release>'
    echo '<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>'
    echo '<build><pluginManagement><plugins>'
    echo "<plugin><artifactId>maven-surefire-plugin</artifactId><version>$(property surefire-plugin.version)</version></plugin>"
    echo "<plugin><artifactId>maven-compiler-plugin</artifactId><version>$(property compiler-plugin.version)</version></plugin>"
    echo "<plugin><artifactId>maven-resources-plugin</artifactId><version>$(property resources-plugin.version)</version></plugin>"
    echo "<plugin><artifactId>maven-dependency-plugin</artifactId><version>$(property dependency-plugin.version)</version></plugin>"
    echo '</plugins></pluginManagement></build><dependencies>'
    for dependency in "$@"; do
      IFS=: read -r group artifact number scope <<<"$dependency"
      echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$number</version>"
      echo "<scope>${scope:-compile}</scope></dependency>"
    done
    echo '</dependencies></project>'
  } >"$folder/pom.xml"
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

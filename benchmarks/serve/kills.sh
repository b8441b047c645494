#!/usr/bin/env bash
# Kills servers that train, one on SQLite and two on PostgreSQL, and compares with a server that is left alone:
#   benchmarks/serve/kills.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/../.."
export KILLS=${1:-50}
.ci/with-postgresql bash -euo pipefail -c 'mvn -B -ntp test -pl :peft-serve -am \
  -Dtest="KilledServerTest,SharedQueueTest" -Dsurefire.failIfNoSpecifiedTests=false -Dpeft4j.kills="$KILLS" \
  -Dpeft4j.serve.postgresql="$PEFT4J_POSTGRESQL"'

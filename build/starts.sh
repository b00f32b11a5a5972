#!/usr/bin/env bash
# How long executables take to start, and how fast they learn: ./build.sh starts EXECUTABLE...
# Of each: median and least of 20 runs of `version`, `--help` and `validate` of a sample, in milliseconds; and of 3 runs that read 400 000 records
# once and 40 times, whose parameters have to be the same to the byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
(($#)) || { echo "usage: ./build.sh starts EXECUTABLE..." >&2; exit 64; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NO_COLOR=1

# Median and least time of some runs.
times() {
  local runs=$1 from; shift
  for ((i = 0; i < runs; i++)); do
    from=$(date +%s%N)
    "$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; exit 1; }
    echo $((($(date +%s%N) - from) / 10000))
  done | sort -n | awk '{ t[NR] = $1 / 100 } END { printf "median %8.1f  least %8.1f", t[int((NR + 1) / 2)], t[1] }'
}

awk 'BEGIN { srand(7); print "a,b,c"
  for (i = 0; i < 400000; i++) { c = i % 3; printf "%.4f,%.4f,%.4f\n", 5 * c + rand() + rand(), rand() - 3 * c, rand() * (1 + c) } }' >"$folder/data.csv"
for executable in "$@"; do
  printf '%s (%s)\n' "$executable" "$(du -hL "$executable" | cut -f1)"
  "$executable" version >/dev/null
  printf '  version      ms: %s\n' "$(times 20 "$executable" version)"
  printf '  --help       ms: %s\n' "$(times 20 "$executable" --help)"
  printf '  validate     ms: %s\n' "$(times 20 "$executable" validate -c samples/flights.yaml)"
  printf '  fit, 1 pass  ms: %s\n' "$(times 3 "$executable" fit "$folder/data.csv" --components 6 -o "$folder/snapshot.json")"
  printf '  fit, 40      ms: %s\n' "$(times 3 "$executable" fit "$folder/data.csv" --components 6 --passes 40 -o "$folder/snapshot.json")"
  printf '  parameters     : %s\n' "$(sed -n '/"parameters"/,/"component_ids"/p' "$folder/snapshot.json" | sha256sum | cut -c1-16)"
done

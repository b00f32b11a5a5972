#!/usr/bin/env bash
# Runs the real worker on a week of real earthquakes, replayed as a stream, and shows what it learns.
#
#   samples/demo.sh STREAMEM [DIRECTORY]
#
# STREAMEM is the executable; DIRECTORY (default demo-output) is emptied and holds everything the demo makes.
set -euo pipefail
streamem=$(realpath "${1:?the streamem executable}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=${2:-demo-output}
events=$here/earthquakes_week.csv
port=${STREAMEM_DEMO_PORT:-18080}
api=http://127.0.0.1:$port
export STREAMEM_DEMO_DIRECTORY=$directory STREAMEM_DEMO_ADDRESS=127.0.0.1:$port

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
field() { sed -E "s/.*\"$1\":([^,}]*).*/\1/" <<<"$2"; }
worker=
trap '[[ -z $worker ]] || kill "$worker" 2>/dev/null || true' EXIT

rm -rf "$directory"; mkdir -p "$directory"
head -1 "$events" >"$directory/events.csv"

say "1. The worker: streamem run -c samples/earthquakes.yaml"
"$streamem" validate -c "$here/earthquakes.yaml" | head -1
"$streamem" run -c "$here/earthquakes.yaml" >"$directory/worker.log" 2>&1 &
worker=$!
for _ in $(seq 100); do curl -fsS "$api/livez" >/dev/null 2>&1 && break; sleep 0.1; done
curl -fsS "$api/livez" >/dev/null || { cat "$directory/worker.log" >&2; exit 1; }
echo "To watch it in a browser: $api/ui/"

say "2. A week of earthquakes arrives, 100 every quarter of a second; every minibatch makes a new version"
printf '%8s %9s %10s %16s   %s\n' version records gamma log-likelihood "weights of the components"
( tail -n +2 "$events" | while mapfile -t -n 100 chunk && ((${#chunk[@]})); do printf '%s\n' "${chunk[@]}"; sleep 0.25; done >>"$directory/events.csv" ) &
replay=$!
# The API's event stream: one line of JSON per version, until all whole minibatches have been learned from.
updates=$(((($(wc -l <"$events") - 1) / 100)))
while IFS= read -r line; do
  [[ $line == data:* ]] || continue
  version=$(field version "$line")
  weights=$(sed -E 's/.*"weights":\{"shape":\[[0-9]*\],"data":\[([^]]*)\].*/\1/' <<<"$line" | tr ',' '\n' | LC_ALL=C awk '{printf "%5.1f%%", 100 * $1}')
  LC_ALL=C printf '%8d %9d %10.4f %16.4f   %s\n' "$version" "$(field records "$line")" "$(field step_size "$line")" "$(field mean_log_likelihood "$line")" "$weights"
  ((version < updates)) || break
done < <(curl -sSN --max-time 60 "$api/v1/models/earthquakes/stream")
wait "$replay"

say "3. The model over HTTP"
echo "GET /v1/models"
curl -fsS "$api/v1/models"; echo
echo 'POST /v1/models/earthquakes/score   {"records": [{"lon": -122.8, "lat": 38.8, "mag": 0.9}, {"lon": 20, "lat": -40, "mag": 7.5}]}'
curl -fsS "$api/v1/models/earthquakes/score" -H 'Content-Type: application/json' \
  -d '{"records": [{"lon": -122.8, "lat": 38.8, "mag": 0.9}, {"lon": 20, "lat": -40, "mag": 7.5}]}'; echo

say "4. SIGTERM: the worker keeps its place and ends"
kill -TERM "$worker"; code=0; wait "$worker" || code=$?; worker=
echo "exit code $code; the newest checkpoint is $(ls "$directory"/state/earthquakes/*.sem | tail -1)"
((code == 0)) || { tail -5 "$directory/worker.log" >&2; exit "$code"; }

say "5. What it learned: streamem inspect $directory/snapshots.ndjson"
"$streamem" inspect "$directory/snapshots.ndjson"

say "6. The strangest earthquakes of the week: streamem score"
tail -1 "$directory/snapshots.ndjson" >"$directory/snapshot.json"
"$streamem" score "$directory/snapshot.json" "$events" --format csv -o "$directory/scores.csv"
column=$(head -1 "$directory/scores.csv" | tr ',' '\n' | grep -n '^log_density$' | cut -d: -f1)
score=$(head -1 "$directory/scores.csv" | tr ',' '\n' | grep -n '^anomaly_score$' | cut -d: -f1)
printf '%14s %12s %9s %9s %6s\n' anomaly_score log_density lon lat mag
paste -d, <(tail -n +2 "$directory/scores.csv" | cut -d, -f"$column,$score") <(tail -n +2 "$events" | cut -d, -f2,4,5) |
  LC_ALL=C sort -t, -g -k1,1 | head -8 | LC_ALL=C awk -F, '{printf "%14.8f %12.3f %9.3f %9.3f %6.2f\n", $2, $1, $4, $5, $3}' || true

"$streamem" plot "$directory/snapshot.json" "$events" -o "$directory/earthquakes.svg" --x lon --y lat \
  --title "One week of earthquakes, learned as a stream: six components over longitude and latitude"
say "The picture of the mixture over its records: $directory/earthquakes.svg"

#!/usr/bin/env bash
# Replays a CSV file into a Kafka topic, over and over, so many lines a second: a stream to learn from. Runs in the apache/kafka image.
#
#   BROKER=kafka:9092 RATE=400 replay.sh TOPIC FILE
set -euo pipefail
topic=${1:?the topic} file=${2:?a CSV file with a header line}
kafka=/opt/kafka/bin

"$kafka/kafka-topics.sh" --bootstrap-server "$BROKER" --create --if-not-exists --topic "$topic" --partitions 4
echo "replaying $file into $topic, $RATE lines a second"
while :; do tail -n +2 "$file"; done |
  while mapfile -t -n "$RATE" lines && ((${#lines[@]})); do
    printf '%s\n' "${lines[@]}"
    sleep 1
  done | "$kafka/kafka-console-producer.sh" --bootstrap-server "$BROKER" --topic "$topic"

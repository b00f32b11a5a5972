#!/usr/bin/env bash
# Builds the container image and says how large it is: build/image.sh [--stand-in] [NAME [CONTEXT]]. STREAMEM_SDK_IMAGE and
# STREAMEM_RUNTIME_IMAGE name other base images than deploy/Dockerfile does; --stand-in makes them of this machine, without pulling anything.
# STREAMEM_VERSION and STREAMEM_REVISION are what the executable and the labels say, else what git knows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
largest=75
if [[ ${1:-} == --stand-in ]]; then
  shift
  build/stand-in-images.sh
  STREAMEM_SDK_IMAGE=streamem-stand-in/sdk STREAMEM_RUNTIME_IMAGE=streamem-stand-in/aspnet
fi
name=${1:-streamem} context=${2:-.} arguments=()
# A bridge is not everywhere, and nothing is listened on.
[[ -z ${STREAMEM_SDK_IMAGE:-} ]] || arguments+=(--network=host --build-arg "SDK_IMAGE=$STREAMEM_SDK_IMAGE")
[[ -z ${STREAMEM_RUNTIME_IMAGE:-} ]] || arguments+=(--build-arg "RUNTIME_IMAGE=$STREAMEM_RUNTIME_IMAGE")
revision=${STREAMEM_REVISION:-$(git rev-parse HEAD 2>/dev/null || true)}
version=${STREAMEM_VERSION:-${revision:+$(build/version.sh)}}
[[ -z $revision ]] || arguments+=(--build-arg "REVISION=$revision")
[[ -z $version ]] || arguments+=(--build-arg "VERSION=$version")
docker build -f "$context/deploy/Dockerfile" -t "$name" "${arguments[@]}" "$context" >&2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
base=$(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.base.name"}}' "$name")
below=$(docker image inspect -f '{{len .RootFS.Layers}}' "$base" 2>/dev/null || echo 0)
docker save "$name" | tar -x -C "$folder"
layers=$(grep -oE '"Layers":\[[^]]*\]' "$folder/manifest.json" | grep -oE '[^"]+/[^"]+' || true)
sizes=$(for layer in $layers; do if gzip -t "$folder/$layer" 2>/dev/null; then wc -c <"$folder/$layer"; else gzip -c "$folder/$layer" | wc -c; fi; done)
awk -v name="$name" -v base="$base" -v below="$below" -v largest=$largest '
  { all += $1; if (NR > below) own += $1 }
  END {
    if (!NR) { print "image: no layers found in " name > "/dev/stderr"; exit 1 }
    printf "%s: %.1f MB compressed", name, all / 1e6
    if (below) printf ", %.1f MB of it StreamEM, %.1f MB its base %s", own / 1e6, (all - own) / 1e6, base
    printf " (%s %d MB)\n", all <= largest * 1e6 ? "at most" : "more than", largest
  }' <<<"$sizes"

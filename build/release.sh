#!/usr/bin/env bash
# Makes all that a release has, in artifacts/release: ./build.sh release [KIND...], kinds of machines as .NET names them.
# Of each an archive with the executable, which needs no .NET, its manual page and completions; Debian packages; a dotnet tool; the
# library's package; the image where a container engine runs; a bill of materials and checksums. Then build/release-check.sh tries all of them.
# It is made of what is committed, in a copy of the tree, so that one commit makes one release and a build of one's own is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD out=$PWD/artifacts/release work=$PWD/artifacts/published tree=$PWD/artifacts/published/source
known=(linux-x64 linux-arm64 win-x64 osx-arm64)
kinds=("$@")
((${#kinds[@]})) || kinds=("${known[@]}")
for kind in "${kinds[@]}"; do
  [[ " ${known[*]} " == *" $kind "* ]] || { echo "build.sh: there is no kind of machine '$kind'; one of: ${known[*]}" >&2; exit 64; }
done
git rev-parse HEAD >/dev/null 2>&1 || { echo "build.sh: a release is made of a commit, and this folder has none (no git)." >&2; exit 66; }
[[ -z $(git status --porcelain) ]] || echo "build.sh: what is not committed is not part of the release" >&2

version=$(build/version.sh) revision=$(git rev-parse HEAD)
own=linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
properties=(-c Release -v q -nologo -p:Version="$version" -p:SourceRevisionId="$revision" -p:PathMap="$tree=/streamem" -p:DebugType=embedded
  -p:RunAnalyzers=false)
# Times in archives are those of the commit.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

rm -rf "$out" "$work"
mkdir -p "$out" "$tree"
git archive HEAD | tar -x -C "$tree"
project=$tree/src/StreamEm.Worker/StreamEm.Worker.csproj

publish() {
  local kind=$1
  [[ ! -e $work/$kind ]] || return 0
  echo "release: $version, $kind" >&2
  if ! dotnet publish "$project" -r "$kind" -o "$work/$kind" "${properties[@]}" -p:PublishSingleFile=true >"$work/$kind.log" 2>&1; then
    tail -20 "$work/$kind.log" >&2
    echo "build.sh: no executable for $kind: its runtime, host and ReadyToRun compiler come as packages of the SDK's own version; see above" >&2
    return 69
  fi
}

# What a kind of machine needs adds to the lock files; what they say already has to stay, to the byte.
check_locks() {
  local lock lost
  for lock in src/StreamEm.{Core,Sources,Worker}/packages.lock.json; do
    lost=$(grep -F contentHash "$here/$lock" | sort -u | comm -23 - <(grep -F contentHash "$tree/$lock" | sort -u))
    [[ -z $lost ]] || { echo "build.sh: packages other than those of $lock were used; restore them first: ./build.sh setup" >&2; return 65; }
  done
}

pack_folder() {
  local folder=$1 file=$2
  find "$folder" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  if [[ $file == *.zip ]]; then (cd "$(dirname "$folder")" && python3 -m zipfile -c "$file" "$(basename "$folder")")
  else tar -C "$(dirname "$folder")" -c --sort=name --owner=0 --group=0 --numeric-owner "$(basename "$folder")" | gzip -9n >"$file"; fi
}

archive() {
  local kind=$1 name=streamem-$version-$1 ending=tar.gz
  [[ $kind != win-* ]] || ending=zip
  if [[ $ending == zip ]] && ! command -v python3 >/dev/null; then echo "release: no archive for $kind, python3 makes it and is missing" >&2; return; fi
  mkdir -p "$work/$name"
  cp -R "$work/$kind/." LICENSE "$work/share" "$work/$name/"
  pack_folder "$work/$name" "$out/$name.$ending"
  rm -rf "${work:?}/$name"
}

publish "$own"
check_locks
run=$work/$own/streamem share=$work/share
mkdir -p "$share"/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d,systemd}
"$run" completion man >"$share/man/man1/streamem.1"
"$run" completion bash >"$share/bash-completion/completions/streamem"
"$run" completion zsh >"$share/zsh/site-functions/_streamem"
"$run" completion fish >"$share/fish/vendor_completions.d/streamem.fish"
"$run" schema >"$share/streamem.schema.json"
cp deploy/streamem.service "$share/systemd/"
for kind in "${kinds[@]}"; do
  publish "$kind"
  archive "$kind"
  # 1.2.3-dev.4 comes before 1.2.3: to dpkg that is 1.2.3~dev.4.
  case $kind in
    linux-x64) STREAMEM_RUN=$run deploy/debian/build.sh "$work/$kind" "${version/-/\~}" amd64 "$out/streamem_${version/-/\~}_amd64.deb" ;;
    linux-arm64) STREAMEM_RUN=$run deploy/debian/build.sh "$work/$kind" "${version/-/\~}" arm64 "$out/streamem_${version/-/\~}_arm64.deb" ;;
  esac
done

echo "release: packages" >&2
dotnet pack "$tree/src/StreamEm.Core" -o "$out" "${properties[@]}"
dotnet pack "$project" -o "$out" "${properties[@]}" -p:PackAsTool=true -p:IsPackable=true
dotnet dotnet-CycloneDX src/StreamEm.Worker/StreamEm.Worker.csproj --output "$out" --filename "streamem-$version.cdx.json" --output-format Json \
  --recursive --exclude-dev --disable-package-restore --set-name streamem --set-version "$version" --no-serial-number >/dev/null
# The lock files of the tree say by now what kinds of machines add to them, which the image's own do not.
image() {
  local base context=$work/context
  for base in "${STREAMEM_SDK_IMAGE:-$(sed -n 's/^ARG SDK_IMAGE=//p' deploy/Dockerfile)}" \
    "${STREAMEM_RUNTIME_IMAGE:-$(sed -n 's/^ARG RUNTIME_IMAGE=//p' deploy/Dockerfile)}"; do
    docker image inspect "$base" >/dev/null 2>&1 || docker pull -q "$base" >/dev/null 2>&1 || \
      { echo "release: no image, $base cannot be had here; STREAMEM_SDK_IMAGE and STREAMEM_RUNTIME_IMAGE name others" >&2; return 0; }
  done
  mkdir "$context" && git archive HEAD | tar -x -C "$context"
  STREAMEM_VERSION=$version STREAMEM_REVISION=$revision build/image.sh "streamem:$version" "$context" 2>"$work/image.log" || \
    { tail -20 "$work/image.log" >&2; return 69; }
  docker save "streamem:$version" | gzip -9n >"$out/streamem-$version-image.tar.gz"
  rm -rf "$context"
}
if docker info >/dev/null 2>&1; then image
else echo "release: no image, no container engine runs here; where one does: ./build.sh image" >&2; fi
(cd "$out" && sha256sum -- * >SHA256SUMS)
rm -rf "$tree"
build/release-check.sh "$version"
ls -l "$out" | awk 'NR > 1 { printf "%7.1f MB  %s\n", $5 / 1e6, $9 }'

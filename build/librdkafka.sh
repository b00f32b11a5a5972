#!/usr/bin/env bash
# Gives this checkout a package librdkafka.redist, the native half of Confluent.Kafka, where the package source lacks it.
#
#   build/librdkafka.sh native   builds librdkafka (about a minute, once per user: kept in the cache directory) and packs it
#   build/librdkafka.sh empty    packs a package without a library, in seconds: everything builds, and runs as long as no
#                                Kafka client is made
#
# Both go into .feed, which nuget.config adds to the machine's own sources. The empty one carries a higher version (VERSION.1), so
# that the native one, or the gallery's, wins as soon as there is one. Why and how: docs/decisions/0004-native-kafka-client.md
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(sed -n 's/.*"Confluent.Kafka" Version="\([^"]*\)".*/\1/p' "$root/Directory.Packages.props")
feed=$root/.feed
cache=${XDG_CACHE_HOME:-$HOME/.cache}/streamem/librdkafka-$version
npm_package=@confluentinc/kafka-javascript@1.10.1   # builds librdkafka 2.15.1
headers=(libcurl4-openssl-dev libssl-dev zlib1g-dev libzstd-dev liblz4-dev libsasl2-dev build-essential python3)

say() { echo "librdkafka: $*" >&2; }

case $(uname -s)-$(uname -m) in
  Linux-x86_64) rid=linux-x64 ;;
  Linux-aarch64) rid=linux-arm64 ;;
  *) say "can be built here for Linux on x64 and arm64 only, this is $(uname -s) on $(uname -m)."
     say "Restore from a package source that has librdkafka.redist $version."; exit 69 ;;
esac

# pack VERSION [FOLDER]: FOLDER is laid out as the package's content.
pack() {
  local work content='' note='left out'; work=$(mktemp -d)
  if (($# > 1)); then content="<files><file src=\"$2/**\" target=\"\" /></files>" note='built on this machine'; fi
  cat >"$work/librdkafka.redist.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <NuspecFile>librdkafka.redist.nuspec</NuspecFile>
    <NoBuild>true</NoBuild>
    <NoWarn>NU5128</NoWarn>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
</Project>
PROJECT
  cat >"$work/librdkafka.redist.nuspec" <<NUSPEC
<?xml version="1.0" encoding="utf-8"?>
<package>
  <metadata>
    <id>librdkafka.redist</id>
    <version>$1</version>
    <authors>The librdkafka authors</authors>
    <license type="expression">BSD-2-Clause</license>
    <description>librdkafka, the Apache Kafka C client library, $note.</description>
  </metadata>
  $content
</package>
NUSPEC
  dotnet pack "$work/librdkafka.redist.csproj" -o "$work/out" -v q -nologo >"$work/log" 2>&1 || { cat "$work/log" >&2; rm -rf "$work"; return 1; }
  mkdir -p "$feed"
  cp "$work/out/librdkafka.redist.$1.nupkg" "$feed/"
  rm -rf "$work"
}

install_headers() {
  local missing=() p
  for p in "${headers[@]}"; do dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p"); done
  command -v npm >/dev/null || missing+=(nodejs npm)
  ((${#missing[@]})) || return 0
  local as_root=(); ((EUID == 0)) || as_root=(sudo)
  say "installing ${missing[*]}"
  local log; log=$(mktemp)
  if ! command -v apt-get >/dev/null ||
     ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    say "building librdkafka $version needs: ${missing[*]} (names of Debian 12). Install them and run this again,"
    say "or restore from a package source that has librdkafka.redist $version."
    exit 69
  fi
  rm -f "$log"
}

build() {
  install_headers
  local work; work=$(mktemp -d)
  say "building $version, once, about a minute"
  if ! (cd "$work" && npm init -y && CKJS_LINKING=dynamic npm install --no-audit --no-fund "$npm_package") >"$work/log" 2>&1; then
    tail -40 "$work/log" >&2
    say "the build failed; its whole log is $work/log"
    exit 69
  fi
  mkdir -p "$cache/runtimes/$rid/native"
  cp -L "$work/node_modules/@confluentinc/kafka-javascript/build/deps/librdkafka.so.1" "$cache/librdkafka.so.new"
  strip --strip-unneeded "$cache/librdkafka.so.new"
  mv "$cache/librdkafka.so.new" "$cache/runtimes/$rid/native/librdkafka.so"
  rm -rf "$work"
}

case ${1:-} in
  empty)
    [[ -f $feed/librdkafka.redist.$version.1.nupkg ]] || pack "$version.1" ;;
  native)
    library=$cache/runtimes/$rid/native/librdkafka.so
    [[ -f $library ]] || build
    if ldd "$library" | grep -q 'not found'; then install_headers; fi
    [[ -f $feed/librdkafka.redist.$version.nupkg ]] || pack "$version" "$cache" ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'; exit 64 ;;
esac

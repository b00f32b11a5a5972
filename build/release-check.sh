#!/usr/bin/env bash
# Tries what a release consists of, as far as this machine can: build/release-check.sh VERSION. Every archive, package and image in
# artifacts/release is unpacked or installed where nothing else is, and run. One line each: ok, FAILED, or why it was not tried.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$1 out=$PWD/artifacts/release top=$PWD own=linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/') failed=0
deb=$(dpkg --print-architecture 2>/dev/null || true)
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
export NO_COLOR=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf 'release: %-44s %s\n' "$1" "$2"; }

# Runs a check in a shell of its own, in a folder of its own, its output shown when it fails.
try() {
  # A comma in a path ends a property of MSBuild.
  local what=$1 place=$folder/${1//[^A-Za-z0-9._-]/-}; shift
  mkdir -p "$place"
  # Not as a condition: there the shell would go on after what fails.
  set +e
  (set -e; cd "$place"; "$@") >"$folder/log" 2>&1 </dev/null
  local code=$?
  set -e
  if ((code == 0)); then say "$what" ok
  else say "$what" FAILED; sed 's/^/    /' "$folder/log" | tail -30; failed=1; fi
}

# What every executable has to do: say its version, check a configuration, learn, score and draw; with an environment that knows no .NET, and no home.
works() {
  local run=("$@")
  awk 'BEGIN { srand(7); print "a,b"; for (i = 0; i < 20000; i++) print (i % 3) * 5 + rand() + rand() "," rand() - i % 3 }' >data.csv
  [[ $(env -i PATH=/usr/bin:/bin "${run[@]}" version) == "streamem $version "* ]]
  env -i PATH=/usr/bin:/bin "${run[@]}" validate -c "$top/samples/flights.yaml" >/dev/null
  env -i PATH=/usr/bin:/bin "${run[@]}" fit data.csv --components 3 -o snapshot.json >summary
  [[ $(env -i PATH=/usr/bin:/bin "${run[@]}" score snapshot.json data.csv | wc -l) == 20000 ]]
  # Picture and letters need nothing but what comes along.
  env -i PATH=/usr/bin:/bin "${run[@]}" plot snapshot.json data.csv -o picture.png
  is_png picture.png
  parameters >learned
  # The same bytes as those of every other executable of the release.
  [[ -e $folder/learned ]] || cp learned "$folder/learned"
  cmp learned "$folder/learned"
}

is_png() { [[ $(head -c 4 "$1" | tail -c 3) == PNG && $(wc -c <"$1") -gt 20000 ]]; }

parameters() { sed -n '/"parameters"/,/"component_ids"/p' snapshot.json | grep . ; }

sums() { (cd "$out" && sha256sum --quiet -c SHA256SUMS); }

unpacked() {
  tar -xzf "$out/streamem-$version-$own.tar.gz"
  cd "streamem-$version-$own"
  [[ -s LICENSE && -s licenses/LiberationSans.txt && -s share/man/man1/streamem.1 && -s share/bash-completion/completions/streamem && -s share/streamem.schema.json ]]
  # Of a file system that cannot be written to, started by its own name from elsewhere.
  chmod -R a-w . && mkdir -p ../work && cd ../work && works "../streamem-$version-$own/streamem"
  # The native Kafka client is found: a broker that is not there is the end (69), not a library.
  local code=0
  timeout 60 "../streamem-$version-$own/streamem" inspect kafka://127.0.0.1:1/none 2>said || code=$?
  cat said; [[ $code == 69 ]] && ! grep -q 'librdkafka' said
}

# An executable for ARM runs in an emulator where one is: QEMU, with the libraries of that machine in QEMU_LD_PREFIX.
libraries=${QEMU_LD_PREFIX:-/}
has_libraries() {
  [[ -e $libraries/lib/ld-linux-aarch64.so.1 && -n $(find "$libraries"/{,usr/}lib -name 'libssl.so*' -path '*aarch64*' -print -quit 2>/dev/null) ]]
}

emulated() {
  tar -xzf "$out/streamem-$version-linux-arm64.tar.gz"
  works env "QEMU_LD_PREFIX=$libraries" DOTNET_GCHeapHardLimit=0x20000000 \
    "$emulator" "streamem-$version-linux-arm64/streamem"
}

# A Mach-O or PE file for the processor it is said to be for, with the program in it: the host says where that begins. macOS starts nothing that is not signed.
is_for() {
  python3 - "$1" "$2" <<'PYTHON'
import struct, sys
data, kind = open(sys.argv[1], 'rb').read(), sys.argv[2]
mark = data.find(bytes.fromhex('8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae'))
assert mark > 0 and 0 < struct.unpack('<Q', data[mark - 8:mark])[0] < len(data), 'nothing is bundled'
if kind == 'osx-arm64':
    magic, processor, _, _, commands = struct.unpack('<IiIII', data[:20])
    assert (magic, processor) == (0xfeedfacf, 0x0100000c), (hex(magic), hex(processor))
    at, found = 32, set()
    for _ in range(commands):
        command, size = struct.unpack('<II', data[at:at + 8])
        found.add(command)
        at += size
    assert 0x1d in found, 'not signed'
else:
    at = struct.unpack('<I', data[0x3c:0x40])[0]
    assert data[:2] == b'MZ' and data[at:at + 4] == b'PE\0\0' and data[at + 4:at + 6] == b'\x64\x86', 'no executable for x64'
PYTHON
}

foreign() {
  local kind=$1
  if [[ $kind == win-* ]]; then python3 -m zipfile -e "$out/streamem-$version-$kind.zip" .; [[ -s streamem-$version-$kind/librdkafka.dll && -s streamem-$version-$kind/libSkiaSharp.dll ]]
  else tar -xzf "$out/streamem-$version-$kind.tar.gz"; [[ -s streamem-$version-$kind/librdkafka.dylib && -s streamem-$version-$kind/libSkiaSharp.dylib ]]; fi
  [[ -z $(find . -name '*.pdb') ]]
  is_for "streamem-$version-$kind/streamem$([[ $kind == win-* ]] && echo .exe || true)" "$kind"
}

# Installed, run and purged by dpkg in a machine that is this one with a layer over it, which is thrown away.
installed() {
  mkdir layer
  unshare --mount bash -c '
    set -e
    mount -t tmpfs tmpfs layer && mkdir layer/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=/,upperdir=layer/upper,workdir=layer/work" layer/root
    mount --bind "$1" layer/root/mnt
    for f in proc dev; do mount --rbind /$f layer/root/$f; done
    mount -t tmpfs tmpfs layer/root/run
    chroot layer/root bash -c "
      set -e
      dpkg --force-depends -i \"/mnt/$2\"
      cd /tmp && env -i PATH=/usr/bin:/bin /usr/bin/streamem version
      man -w streamem >/dev/null 2>&1 || test -s /usr/share/man/man1/streamem.1.gz
      streamem validate -c /etc/streamem/streamem.yaml -s state_directory=/tmp/state
      ! command -v systemd-analyze || systemd-analyze verify --man=no /usr/lib/systemd/system/streamem.service
      dpkg -i \"/mnt/$2\"                        # an upgrade
      dpkg --purge streamem && ! test -e /usr/bin/streamem && ! test -e /etc/streamem/streamem.yaml
    "' _ "$out" "$(basename "$1")"
}

extracted() {
  dpkg-deb --extract "$1" root && works root/usr/bin/streamem
}

# With a folder as the only source of packages.
tool() {
  dotnet tool install StreamEM --tool-path bin --version "$version" --source "$out"
  DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")") && export DOTNET_ROOT
  [[ $(bin/streamem version) == "streamem $version "* ]]
  cp "$top/samples/streamem.yaml" . && bin/streamem schema >schema.json && [[ -s schema.json ]]
  bin/streamem plot gaussian_mixture --graph -o graph.png && is_png graph.png
}

# A program of its own that has no more of us than the package, and the first lines of docs/library.md.
library() {
  cat >program.csproj <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable>
    <RestoreAdditionalProjectSources>$out</RestoreAdditionalProjectSources><RestorePackagesPath>$PWD/packages</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="StreamEM.Core" Version="$version" /></ItemGroup>
</Project>
XML
  cat >program.cs <<'CODE'
using StreamEm.Core.Online;

var model = OnlineModel.GaussianMixture(features: 2, components: 2);
for (int row = 0; row < 5000; row++) model.Learn([[row % 2 * 10 + Math.Sin(row), Math.Cos(row * 1.7)]]);
double[] means = [model.Means[0], model.Means[2]];
Array.Sort(means);
Console.WriteLine($"{(int)Math.Round(means[0])} {(int)Math.Round(means[1])} {model.Score([0, 0]).LogDensity > model.Score([5, 9]).LogDensity}");
CODE
  dotnet build -v q -nologo -o out
  dotnet out/program.dll | tee said
  [[ $(cat said) == "0 10 True" ]]
}

image() {
  docker load -i "$out/streamem-$version-image.tar.gz"
  works docker run --rm --read-only --network none --user "$(id -u):$(id -g)" -v "$top:$top:ro" -v "$PWD:$PWD" -w "$PWD" "streamem:$version"
}

try SHA256SUMS sums
[[ ! -e $out/streamem-$version-$own.tar.gz ]] || try "streamem-$version-$own" unpacked
for kind in linux-arm64 win-x64 osx-arm64; do
  what=streamem-$version-$kind
  [[ $kind != "$own" ]] && compgen -G "$out/$what.*" >/dev/null || continue
  emulator=$(command -v "${STREAMEM_QEMU:-qemu-aarch64-static}" || command -v qemu-aarch64 || true)
  if [[ $kind == linux-arm64 && -n $emulator ]] && has_libraries; then try "$what" emulated
  elif [[ $kind == linux-arm64 && -n $emulator ]]; then
    say "$what" "not run: no libraries for aarch64 here (Debian: dpkg --add-architecture arm64; libssl3:arm64 libstdc++6:arm64)"
  elif [[ $kind == linux-arm64 ]]; then say "$what" "not run: no QEMU for aarch64 here (Debian: qemu-user-static)"
  elif command -v python3 >/dev/null; then try "$what" foreign "$kind"; say "$what" "not run: this machine is $own"
  else say "$what" "not run: this machine is $own, and without python3"; fi
done
for package in "$out"/*_"$deb".deb; do
  [[ -e $package ]] || continue
  try "$(basename "$package")" extracted "$package"
  if ((EUID == 0)) && unshare --mount true 2>/dev/null; then try "$(basename "$package") by dpkg" installed "$package"
  else say "$(basename "$package") by dpkg" "not installed: needs root and a layer over the file system"; fi
done
try "StreamEM.$version, dotnet tool" tool
try "StreamEM.Core.$version, package" library
[[ ! -e $out/streamem-$version-image.tar.gz ]] || try "streamem-$version-image" image
exit $failed

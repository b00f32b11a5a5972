#!/usr/bin/env bash
# Makes a Debian package of a published executable: build.sh FOLDER VERSION ARCHITECTURE TARGET.deb
# FOLDER holds the executable streamem and the libraries it loads; ARCHITECTURE is dpkg's (amd64, arm64). Needs dpkg-deb.
# STREAMEM_RUN names an executable of this machine that prints manual page and completions, where FOLDER's is of another.
set -euo pipefail
(($# == 4)) || { echo "usage: $0 FOLDER VERSION ARCHITECTURE TARGET.deb" >&2; exit 64; }
folder=$(realpath "$1") version=$2 architecture=$3 target=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
run=${STREAMEM_RUN:-$folder/streamem}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 755 "$root"

# What is not published with its runtime needs that of the distribution.
depends="libc6 (>= 2.28), libgcc-s1, libstdc++6, libssl3 | libssl3t64, zlib1g"
[[ ! -e $folder/streamem.dll ]] || depends="aspnetcore-runtime-10.0, $depends"

put() { install -D -m "${3:-644}" "$1" "$root/$2"; }
print() { mkdir -p "$(dirname "$root/$2")"; "$run" completion "$1" >"$root/$2"; }

mkdir -p "$root/usr/bin" "$root/usr/lib/streamem"
cp -R --no-preserve=ownership "$folder/." "$root/usr/lib/streamem/"
rm -rf "$root/usr/lib/streamem/share"
find "$root/usr/lib/streamem" -type f -exec chmod 644 {} +
chmod 755 "$root/usr/lib/streamem/streamem"
ln -s ../lib/streamem/streamem "$root/usr/bin/streamem"
print man usr/share/man/man1/streamem.1
gzip -9 -n "$root/usr/share/man/man1/streamem.1"
print bash usr/share/bash-completion/completions/streamem
print zsh usr/share/zsh/vendor-completions/_streamem
print fish usr/share/fish/vendor_completions.d/streamem.fish
put "$top/deploy/streamem.service" usr/lib/systemd/system/streamem.service
put "$here/streamem.yaml" etc/streamem/streamem.yaml
put "$top/samples/streamem.yaml" usr/share/doc/streamem/examples/streamem.yaml
put "$top/CHANGELOG.md" usr/share/doc/streamem/changelog
gzip -9 -n "$root/usr/share/doc/streamem/changelog"
mkdir -p "$root/usr/share/doc/streamem" "$root/DEBIAN"
cat >"$root/usr/share/doc/streamem/copyright" <<'TEXT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: StreamEM

Files: *
Copyright: StreamEM contributors
License: Apache-2.0
 The text of the license is in /usr/share/common-licenses/Apache-2.0.
 Letters in pictures are Liberation Sans, under the SIL Open Font License 1.1:
 /usr/lib/streamem/licenses/LiberationSans.txt.
TEXT
cat >"$root/DEBIAN/control" <<TEXT
Package: streamem
Version: $version
Architecture: $architecture
Maintainer: StreamEM contributors <streamem@localhost>
Installed-Size: $(du -ks "$root" | cut -f1)
Depends: $depends
Recommends: ca-certificates
Section: science
Priority: optional
Description: learns latent variable models from endless streams
 A worker that reads records from files, standard input, HTTP or Kafka, learns
 mixtures, hidden Markov models and their kin by stepwise expectation
 maximisation, publishes every version of the parameters and scores records.
 .
 The service streamem.service runs /etc/streamem/streamem.yaml once enabled.
TEXT
echo /etc/streamem/streamem.yaml >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/postinst" <<'TEXT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  # An upgrade goes on with the new executable; a service that does not run is not started.
  [ -z "$2" ] || systemctl try-restart streamem.service || true
fi
TEXT
cat >"$root/DEBIAN/prerm" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl --no-reload disable --now streamem.service || true; fi
TEXT
cat >"$root/DEBIAN/postrm" <<'TEXT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if [ "$1" = purge ]; then rm -rf /var/lib/private/streamem /var/lib/streamem; fi
TEXT
chmod 755 "$root"/DEBIAN/post* "$root/DEBIAN/prerm"
(cd "$root" && find etc usr -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"
mkdir -p "$(dirname "$target")"
dpkg-deb --root-owner-group -Zxz -z4 --build "$root" "$target" >/dev/null

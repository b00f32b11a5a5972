#!/usr/bin/env bash
# Base images made of this machine, for where those of deploy/Dockerfile cannot be pulled: build/stand-in-images.sh. They show that the
# Dockerfile builds and what the image does; they are not to be given away. As the public ones are, as far as it matters here:
#
#   streamem-stand-in/sdk      the SDK, a shell, and the packages that the lock files of src name, so that nothing is fetched
#   streamem-stand-in/aspnet   the ASP.NET runtime with the libraries that it loads, certificates and time zones; no shell, the user app (1654)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
sdk=streamem-stand-in/sdk runtime=streamem-stand-in/aspnet app=1654
dotnet=$(readlink -f "$(command -v dotnet)") && dotnet=${dotnet%/*}
sdk_version=$(dotnet --version)
runtime_version=$(dotnet --list-runtimes | awk '$1 == "Microsoft.AspNetCore.App" && $2 ~ /^10\./ { found = $2 } END { print found }')
[[ -n $runtime_version ]] || { echo "build.sh: there is no ASP.NET runtime 10 here" >&2; exit 69; }
packages=$(dotnet nuget locals global-packages -l | sed 's/^global-packages: //; s#/$##')
locks=(src/StreamEm.{Core,Sources,Worker}/packages.lock.json)

# Made once for what they are made of.
made_of=$({ cat "${BASH_SOURCE[0]}" "${locks[@]}"; echo "$sdk_version $runtime_version"; } | sha256sum | cut -c1-16)
is_made() { [[ $(docker image inspect -f '{{index .Config.Labels "made-of"}}' "$1" 2>/dev/null) == "$made_of" ]]; }
if is_made $sdk && is_made $runtime; then exit 0; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A root with the folders, links and users that both have.
begin() {
  local root=$1
  mkdir -p "$root"/{usr/{bin,lib,lib64,share},etc/ssl/certs,root,home/app,var,dev,proc,sys,run}
  mkdir -m 1777 "$root/tmp"
  ln -s usr/bin "$root/bin" && ln -s usr/lib "$root/lib" && ln -s usr/lib64 "$root/lib64"
  printf 'root:x:0:0:root:/root:/sbin/nologin\napp:x:%s:%s::/home/app:/sbin/nologin\n' $app $app >"$root/etc/passwd"
  printf 'root:x:0:\napp:x:%s:\n' $app >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp -R /usr/share/zoneinfo "$root/usr/share/"
}

# The libraries that files need, as the loader finds them.
libraries() { ldd "$@" | grep -oE '/[^ :]+ \(0x' | sed 's/ (0x$//' | sort -u; }

# Copies the files that are named, or those of the input, to the same places.
copied() {
  local root=$1 file; shift
  if (($#)); then printf '%s\n' "$@"; else cat; fi | while read -r file; do mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file"; done
}

# The library that is loaded by its name, not by its file.
library() { ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }'; }

runtime_into() {
  local root=$1 shared
  mkdir -p "$root/usr/share/dotnet/shared"
  cp -R "$dotnet/dotnet" "$dotnet/host" "$root/usr/share/dotnet/"
  for shared in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
    mkdir "$root/usr/share/dotnet/shared/$shared"
    cp -R "$dotnet/shared/$shared/$runtime_version" "$root/usr/share/dotnet/shared/$shared/"
  done
  ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"
  # What traces with a library that no such image has (liblttng-ust) finds none, as there.
  copied "$root" "$(library libssl.so.3)" "$(library libstdc++.so.6)"
  libraries "$(library libssl.so.3)" "$dotnet/dotnet" \
    "$dotnet/shared/Microsoft.NETCore.App/$runtime_version"/lib{coreclr,clrjit,hostpolicy,System.*}.so | copied "$root"
}

sdk_into() {
  local root=$1 name version commands=(/bin/sh /usr/bin/{mkdir,ls,cat,cp,rm,env,uname})
  copied "$root" "${commands[@]}"
  libraries "${commands[@]}" | copied "$root"
  cp -R "$dotnet/packs" "$dotnet/sdk-manifests" "$root/usr/share/dotnet/"
  mkdir -p "$root/usr/share/dotnet/sdk" "$root/root/.nuget/packages"
  tar -C "$dotnet/sdk" -c --exclude=FSharp --exclude=DotnetTools --exclude=TestHostNetFramework --exclude=Containers "$sdk_version" | \
    tar -C "$root/usr/share/dotnet/sdk" -x
  cat "${locks[@]}" | awk -F'"' '/^      "[^"]+": \{/ { name = $2 } /"resolved":/ { print tolower(name), tolower($4) }' | sort -u | \
    while read -r name version; do
      [[ -d $packages/$name/$version ]] || { echo "build.sh: the package $name $version is not here; ./build.sh setup restores it" >&2; exit 69; }
      mkdir -p "$root/root/.nuget/packages/$name" && cp -R "$packages/$name/$version" "$root/root/.nuget/packages/$name/"
    done
}

settings=(-c "LABEL made-of=$made_of" -c "ENV APP_UID=$app" -c "ENV DOTNET_VERSION=$runtime_version" -c "ENV ASPNET_VERSION=$runtime_version"
  -c "ENV DOTNET_RUNNING_IN_CONTAINER=true" -c "ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true" -c "ENV ASPNETCORE_HTTP_PORTS=8080"
  -c "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
echo "image: base images of this machine" >&2
begin "$folder/root" && runtime_into "$folder/root"
tar -C "$folder/root" --owner=0 --group=0 --numeric-owner -c . | docker import "${settings[@]}" - $runtime >/dev/null
sdk_into "$folder/root"
tar -C "$folder/root" --owner=0 --group=0 --numeric-owner -c . | docker import "${settings[@]}" -c "ENV HOME=/root" -c "ENV DOTNET_NOLOGO=1" \
  -c "ENV DOTNET_CLI_TELEMETRY_OPTOUT=1" - $sdk >/dev/null

#!/usr/bin/env bash
# The version of what is checked out: build/version.sh [FOLDER]. Of the tag v1.2.3 that is 1.2.3; of a commit N after it 1.2.4-dev.N; after a
# tag v2.0.0-rc.1 it is 2.0.0-rc.1.dev.N; before any tag the version of Directory.Build.props as X.Y.Z-dev.N. Each is later than those before.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
if described=$(git describe --tags --long --match 'v[0-9]*.[0-9]*.[0-9]*' 2>/dev/null); then
  [[ $described =~ ^v(.*)-([0-9]+)-g[0-9a-f]+$ ]]
  version=${BASH_REMATCH[1]} later=${BASH_REMATCH[2]}
  if ((later == 0)); then echo "$version"
  elif [[ $version == *-* ]]; then echo "$version.dev.$later"
  else echo "${version%.*}.$((${version##*.} + 1))-dev.$later"; fi
else echo "$(sed -n 's#.*<Version>\(.*\)</Version>.*#\1#p' Directory.Build.props)-dev.$(git rev-list --count HEAD)"; fi

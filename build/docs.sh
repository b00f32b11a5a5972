#!/usr/bin/env bash
# Makes the site of README, docs and reference in artifacts/site: pages, navigation and a search that runs in the reader's browser; nothing of it
# is fetched from elsewhere. A link or an anchor that leads nowhere, and a page that the navigation lacks, is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD stage=$PWD/artifacts/site-source site=$PWD/artifacts/site
rm -rf "$stage" "$site"
mkdir -p "$stage"
{ printf '%s\n' LICENSE *.md; find docs samples deploy tests/StreamEm.Benchmarks/results -type f; } | tar -cf - -T - | tar -xf - -C "$stage"
cp build/site/{docfx.json,toc.yml,logo.svg} "$stage/"

# Pages of a folder as lines of the navigation, by their headings.
pages() { for page in docs/"$1"/*.md; do printf '    - name: "%s"\n      href: %s\n' "$(sed -n '/^# /{s/^# //;s/"/\\"/g;p;q}' "$page")" "${page#docs/}"; done; }
while IFS= read -r line; do
  case $line in *"# models") pages models ;; *"# lab") pages lab ;; *"# decisions") pages decisions ;; *) echo "$line" ;; esac
done <build/site/docs-toc.yml >"$stage/docs/toc.yml"

# The first page is the README; a link to a folder leads to what is in it.
mv "$stage/README.md" "$stage/index.md"
{ echo '# Decisions'; echo; for page in docs/decisions/*.md; do echo "* [$(sed -n '/^# /{s/^# //;p;q}' "$page")]($(basename "$page"))"; done; } >"$stage/docs/decisions/index.md"
find "$stage" -name '*.md' -exec sed -i -E 's#\]\(((\.\./)*)README\.md#](\1index.md#g; s#\]\(((\.\./)*)docs/decisions/?\)#](\1docs/decisions/index.md)#g' {} +

missing=$(for page in docs/*.md docs/questions/*.md docs/reference/*.md; do grep -qF "href: ${page#docs/}" "$stage/docs/toc.yml" || echo "$page"; done)
[[ -z $missing ]] || { printf 'build.sh: build/site/docs-toc.yml has no line for: %s\n' $missing >&2; exit 65; }
(cd "$stage" && dotnet tool run docfx -- build docfx.json --warningsAsErrors --logLevel warning) || {
  echo "build.sh: the site was not made, see above" >&2; exit 65; }
mv "$stage/site" "$site"
# What only a developer of the template wants.
find "$site/public" -name '*.map' -delete
rm -rf "$stage"
outside=$(grep -rlE '<(script|link|img)[^>]+(src|href)="https?://' "$site" --include='*.html' || true)
[[ -z $outside ]] || { echo "build.sh: fetched from elsewhere by: $outside" >&2; exit 65; }
echo "artifacts/site: $(find "$site" -name '*.html' | wc -l) pages, $(du -sh "$site" | cut -f1). To read it with its search: python3 -m http.server -d artifacts/site"

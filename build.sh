#!/usr/bin/env bash
# The one entry: sets up what is missing, then builds, tests, shows, measures or packs StreamEM. `./build.sh help` lists the verbs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
configuration=Release
results=artifacts/test-results

usage() {
  cat <<'USAGE'
usage: ./build.sh VERB

  demo      build, run the worker on a real event stream and show what it learns
  test      build with warnings as errors, check the format, run every test; last line: N passed, N failed, N skipped
  accept    approve what the tests found: public API, command line output, the API's document and the Python module made of it, the drawing of the
            folders; look at the difference before you commit it
  drawing   draw the folders of src and their uses anew, docs/images/folders.svg, and the graphs of the models, docs/images/graphs
  cycles    print the circles in which folders use each other, with the types that make them
  coverage  branch coverage of the folders in build/levels.txt; fails below the levels there
  mutation  mutants that the tests named in build/levels.txt do not kill, in those folders or in one: mutation Estimation; fails below the
            levels; or in one file, which is faster and has no level: mutation Estimation StepwiseEm
  chaos     kill workers on files (200 times, and 20 between kinds of processors) and on topics (50), and brokers (5), at random moments; compare with runs
            that were never stopped; kill (300) and freeze workers that learn two million records together on a cluster of three brokers, which
            are killed too, without and with transactions; learn a million records on every kernel path, and fit them by the engine spider
  bench     micro-benchmarks and the side-by-side run against other implementations; bench anomaly NAB [--tables FOLDER]: what the samples
            find in labelled streams and tables; bench discoveries: what a false discovery rate holds and finds
  load      how much 200 clients that read versions and score, and 64 readers of the stream, slow a worker that learns at full speed:
            load REQUESTS-A-SECOND SECONDS (500 20); fails when an answer was torn or memory grew
  lab       run the experiments on what textbooks claim of EM and write docs/lab; lab NAME...: these; fails when a sentence there is not true
  dashboard build the dashboard, src/StreamEm.Dashboard, into the files that the worker serves (needs Node 20 and npm)
  screenshots  take the pictures of the dashboard's page in docs anew (needs Chromium)
  publish   put the executable at artifacts/streamem/streamem
  image     build the container image streamem and say how large it is (needs Docker); STREAMEM_SDK_IMAGE and STREAMEM_RUNTIME_IMAGE name
            other base images, image --stand-in makes them of this machine where none can be pulled
  release   all that a release has, in artifacts/release, each tried as far as this machine can: executables that need no .NET for
            linux-x64, linux-arm64, win-x64 and osx-arm64 (or those named: release linux-x64), Debian packages, a dotnet tool, the library's
            package, the image where Docker runs, a bill of materials (CycloneDX), checksums; the version is the commit's tag
  docs      the site of README and docs, with a search: artifacts/site; every link in it is followed
  starts    how long executables take to start and to learn: starts artifacts/streamem/streamem artifacts/published/linux-x64/streamem
  setup     restore all packages and stop
  help      this text

Needs the .NET 10 SDK. Everything else is installed when missing (on Debian, as root or through sudo).
USAGE
}

fail() { local code=$1; shift; printf 'build.sh: %s\n' "$@" >&2; exit "$code"; }

require_sdk() {
  command -v dotnet >/dev/null && [[ -n $(dotnet --list-sdks | grep '^10\.') ]] && return
  fail 69 "the .NET 10 SDK is missing (found: $(dotnet --list-sdks 2>/dev/null | tail -1 || true))." \
    "Install the package dotnet-sdk-10.0 from Microsoft's Debian feed, or run Microsoft's dotnet-install.sh with --channel 10.0," \
    "put dotnet on the PATH and run this again. See https://learn.microsoft.com/dotnet/core/install/linux"
}

# Restores every package. Where CI is set, only what packages.lock.json names, to the byte: a package that is not what it was, or a lock
# file that was not committed with its change, ends the run. A source that lacks a locked version is told and given its nearest.
restore() {
  local log status=0; log=$(mktemp)
  if [[ ${CI:-} == true ]]; then dotnet restore StreamEm.sln -v q --locked-mode >"$log" 2>&1 || status=$?
  else dotnet restore StreamEm.sln -v q >"$log" 2>&1 || status=$?; fi
  if ((status)) && grep -qE 'NU1(102|603)' "$log" && ! grep -q 'NU1403' "$log"; then
    grep -oE 'NU1(102|603): .*' "$log" | sort -u >&2
    echo "build.sh: this package source lacks locked versions, see above; restoring the nearest it has" >&2
    status=0
    dotnet restore StreamEm.sln -v q -p:NuGetLockFilePath=obj/nearest.lock.json >"$log" 2>&1 || status=$?
  fi
  ((status == 0)) || cat "$log" >&2
  rm -f "$log"
  return $status
}

set_up() {
  require_sdk
  restore || fail 69 "restoring the packages failed, see above."
}

build() { dotnet build StreamEm.sln -c $configuration --no-restore -warnaserror -v q -nologo; }

test_projects() { dotnet sln StreamEm.sln list | grep -E '^tests/.*Tests\.csproj$'; }

# Counts the outcomes in the result files: passed failed skipped.
tally() {
  local outcomes; outcomes=$(cat "$results"/*.trx 2>/dev/null | tr '\r\n' '  ' | grep -oE '<UnitTestResult [^>]*' | grep -oE ' outcome="[A-Za-z]+"' || true)
  local all passed skipped
  all=$(grep -c . <<<"$outcomes" || true)
  passed=$(grep -c '"Passed"' <<<"$outcomes" || true)
  skipped=$(grep -cE '"(NotExecuted|Skipped)"' <<<"$outcomes" || true)
  echo "$passed $((all - passed - skipped)) $skipped"
}

# Runs every test project in turn. A project whose run ended badly without a failed test (a crash, a hang) counts as one failure.
run_tests() {
  local project name crashed=0 before after status
  rm -rf "$results"; mkdir -p "$results"
  for project in $(test_projects); do
    name=$(basename "$project" .csproj)
    read -r _ before _ <<<"$(tally)"
    status=0
    dotnet test "$project" -c $configuration --no-build --nologo --results-directory "$results" \
      --logger "trx;LogFileName=$name.trx" --blame-hang-timeout 30m --blame-hang-dump-type none "$@" || status=$?
    read -r _ after _ <<<"$(tally)"
    if [[ ! -s $results/$name.trx ]] || ((status != 0 && after == before)); then
      echo "build.sh: the run of $name ended with code $status and no failed test to show for it" >&2
      crashed=$((crashed + 1))
    fi
  done
  local passed failed skipped
  read -r passed failed skipped <<<"$(tally)"
  summary="$passed passed, $((failed + crashed)) failed, $skipped skipped"
  ((failed + crashed == 0 && passed > 0))
}

verb_test() {
  # Whatever goes wrong, the last line says so in numbers.
  local summary='0 passed, 1 failed, 0 skipped' status=0
  if (set_up && build) && format_check; then run_tests || status=$?; else status=1; fi
  echo "$summary"
  return $status
}

format_check() {
  dotnet format StreamEm.sln --verify-no-changes --no-restore && return
  echo "build.sh: the format differs; run 'dotnet format' and look at the change" >&2
  return 1
}

house=tests/StreamEm.House.Tests

build_house() { set_up && dotnet build $house -c $configuration --no-restore -warnaserror -v q -nologo; }

run_house() { dotnet test $house -c $configuration --no-build --nologo "$@"; }

verb_accept() {
  local filter="FullyQualifiedName~.Approved.${1:-}"
  [[ -n ${1:-} ]] || filter+="|FullyQualifiedName~WorkedExample|FullyQualifiedName~Notebook"
  build_house && STREAMEM_ACCEPT=1 run_house --filter "$filter" && git status --short -- $house docs clients
}

verb_cycles() { build_house && run_house --filter 'FullyQualifiedName~NoCycle'; }

# Tests that start processes of their own are not seen by either measure.
in_process='FullyQualifiedName!~Crash&FullyQualifiedName!~Killed'

# levels: folder, tests, branches, mutants, folders of the tests that have to kill them; comments left out.
levels() { grep -v '^#' build/levels.txt; }

# branches REPORT NAMESPACE: covered, all, percent, from the lines of classes (the report has those of methods again).
branches() {
  awk -v space="$2." '
    /<class / { match($0, /name="[^"]*"/); inside = index(substr($0, RSTART + 6), space) == 1 }
    /<methods>/ { methods = 1 }
    /<\/methods>/ { methods = 0 }
    inside && !methods && match($0, /\([0-9]+\/[0-9]+\)/) { split(substr($0, RSTART + 1, RLENGTH - 2), part, "/"); covered += part[1]; all += part[2] }
    END { printf "%d %d %.1f\n", covered, all, all ? 100 * covered / all : 0 }' "$1"
}

space_of() { local inner=${1#src/}; echo "${inner//\//.}"; }

verb_coverage() {
  set_up && build
  local tests folder least include report covered all percent status=0 out=artifacts/coverage
  rm -rf $out
  for tests in $(levels | awk '{ print $2 }' | sort -u); do
    include=$(levels | while read -r folder other _; do [[ $other != "$tests" ]] || printf '[*]%s.*,' "$(space_of "$folder")"; done)
    dotnet test "$tests" -c $configuration --no-build --nologo --filter "$in_process" --collect 'XPlat Code Coverage' --results-directory "$out/$tests" \
      -- "DataCollectionRunSettings.DataCollectors.DataCollector.Configuration.Include=${include%,}" || status=1
  done
  while read -r folder tests least _; do
    report=$(ls "$out/$tests"/*/coverage.cobertura.xml)
    read -r covered all percent <<<"$(branches "$report" "$(space_of "$folder")")"
    echo "$folder: $covered of $all branches, $percent % (at least $least %)"
    awk -v found="$percent" -v least="$least" 'BEGIN { exit !(found >= least) }' || { echo "build.sh: the branch coverage of $folder is too low" >&2; status=1; }
  done < <(levels)
  return $status
}

# Mutants of one folder at a time, in a copy of the tree where all other files of the project are left as they are: Stryker puts its mutants
# into every file and chooses afterwards, which makes kernels a hundred times slower. Its runner vstest does not reach xunit v3: mtp does.
# Without a broker, which the runner does not survive; what never comes is waited for 5 s, not a minute.
verb_mutation() {
  set_up && dotnet tool restore
  local folder tests least killers left project out files status=0
  while read -r folder tests _ least killers left; do
    [[ -z ${1:-} || $folder == */$1 ]] || continue
    [[ -z ${2:-} || -f $folder/$2.cs ]] || fail 64 "there is no $folder/$2.cs"
    [[ -z ${2:-} ]] || least=0
    files=""
    [[ ! -d $tests/$killers ]] || files="$killers/**/*.cs;Support/**/*.cs"
    project=$(cut -d/ -f2 <<<"$folder") out=$PWD/artifacts/mutation/${folder##*/}
    rm -rf "$out" && mkdir -p "$out/tree" && git ls-files -z | xargs -0 cp --parents -t "$out/tree" || return
    find "$out/tree/src/$project" -name '*.cs' -not -path "$out/tree/$folder/${2:-*}${2:+.cs}" -exec sed -i '1i // Stryker disable all' {} +
    [[ -z $left ]] || find "$out/tree/$folder" -regextype posix-extended -regex ".*/(${left//,/|})" -exec sed -i '1i // Stryker disable all' {} +
    (cd "$out/tree/$tests" && unset KAFKA_HOME && export RunAnalyzers=false STREAMEM_TEST_PATIENCE=5 STREAMEM_TEST_FILES="$files" && dotnet stryker --config-file ../../build/stryker.json --project "$project.csproj" --mutate "**/${folder##*/}/${2:-**/*}.cs" \
      --test-runner mtp --test-case-filter "FullyQualifiedName~.${killers//,/.|FullyQualifiedName~.}." --threshold-low "$least" --break-at "$least" \
      --concurrency "${STREAMEM_MUTATION_TESTERS:-1}" --skip-version-check --output "$out" </dev/null) || status=1
    rm -rf "$out/tree"
  done < <(levels)
  return $status
}

require_curl() {
  command -v curl >/dev/null && return
  local as_root=(); ((EUID == 0)) || as_root=(sudo)
  command -v apt-get >/dev/null && "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends curl >/dev/null && return
  fail 69 "curl is missing: install it and run this again."
}

verb_demo() { set_up && verb_publish && require_curl && samples/demo.sh artifacts/streamem/streamem "$@"; }

# The files of the dashboard are committed, so that building the worker needs no Node; beside them is what they were built from.
verb_dashboard() {
  command -v npm >/dev/null || fail 69 "Node 20 or newer with npm is missing. On Debian: apt-get install nodejs npm"
  local source=src/StreamEm.Dashboard files=src/StreamEm.Worker/Dashboard/files package
  (cd $source && npm ci --no-audit --no-fund && npm run --silent build) || return
  for package in echarts zrender tslib; do printf '%s\n\n' "== $package" && cat $source/node_modules/$package/LICENSE* && echo; done >$files/licenses.txt
  find $source $files -name node_modules -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >$files.sha256
  du -sh $files
}

verb_screenshots() {
  set_up && dotnet build tests/StreamEm.Worker.Tests -c $configuration --no-restore -warnaserror -v q -nologo || return
  STREAMEM_CHECKOUT=$PWD dotnet test tests/StreamEm.Worker.Tests -c $configuration --no-build --nologo --filter 'FullyQualifiedName~ScreenshotTests' -- xUnit.Explicit=only
}

verb_publish() {
  rm -rf artifacts/streamem
  dotnet publish src/StreamEm.Worker -c $configuration --no-restore -o artifacts/streamem -v q -nologo
}

verb_release() { dotnet tool restore >/dev/null && build/release.sh "$@"; }

verb_chaos() {
  set_up && build
  export STREAMEM_CHAOS_KILLS=${STREAMEM_CHAOS_KILLS:-200} STREAMEM_KAFKA_KILLS=${STREAMEM_KAFKA_KILLS:-50} STREAMEM_BROKER_KILLS=${STREAMEM_BROKER_KILLS:-5}
  export STREAMEM_SCALE_KILLS=${STREAMEM_SCALE_KILLS:-300} STREAMEM_SCALE_RECORDS=${STREAMEM_SCALE_RECORDS:-2000000}
  dotnet test tests/StreamEm.Worker.Tests -c $configuration --no-build --nologo --filter 'FullyQualifiedName~Crash|FullyQualifiedName~Killed' --logger 'console;verbosity=normal'
  dotnet test tests/StreamEm.Sources.Tests -c $configuration --no-build --nologo --filter 'FullyQualifiedName~KafkaOutage' --logger 'console;verbosity=normal'
  STREAMEM_TEST_RECORDS=1000000 dotnet test tests/StreamEm.Core.Tests -c $configuration --no-build --nologo --filter 'FullyQualifiedName~StreamBytesTests|FullyQualifiedName~Spider_ManyRows' --logger 'console;verbosity=normal'
}

verb_bench() { set_up && dotnet run -c $configuration --project tests/StreamEm.Benchmarks -- "$@"; }

verb_load() { set_up && verb_publish && dotnet run -c $configuration --project tests/StreamEm.Benchmarks -- load "$PWD/artifacts/streamem/streamem" "$@"; }

verb_lab() { set_up && dotnet run -c $configuration --project tests/StreamEm.Lab -- "$@"; }

verb_image() {
  command -v docker >/dev/null || fail 69 "docker is missing. Install Docker (on Debian: apt-get install docker.io) and start it."
  build/image.sh "$@"
}

verb=${1:-help}; shift || true
case $verb in
  demo) verb_demo "$@" ;;
  test) verb_test ;;
  accept) verb_accept ;;
  drawing) verb_accept Drawing && verb_accept Graph ;;
  cycles) verb_cycles ;;
  coverage) verb_coverage ;;
  mutation) verb_mutation "$@" ;;
  chaos) verb_chaos ;;
  bench) verb_bench "$@" ;;
  load) verb_load "$@" ;;
  lab) verb_lab "$@" ;;
  dashboard) verb_dashboard ;;
  screenshots) verb_screenshots ;;
  publish) set_up && verb_publish && echo "artifacts/streamem/streamem" ;;
  image) verb_image "$@" ;;
  release) set_up && verb_release "$@" ;;
  docs) require_sdk && dotnet tool restore >/dev/null && build/docs.sh ;;
  starts) build/starts.sh "$@" ;;
  setup) set_up ;;
  help | -h | --help) usage ;;
  *) usage >&2; fail 64 "there is no verb '$verb'" ;;
esac

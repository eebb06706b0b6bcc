#!/usr/bin/env bash
# The main job from beginning to end on real footage and real speech: two people, one server, a
# killed upload, a coach without a network, a review, a message, a picture and a film.
#
#   examples/demo.sh [BIN_DIR] [OUT_DIR]     (default build/release, build/demo)
#
# Every step is a separate run of `sideline`: nothing survives between them but the data folders.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${1:-$root/build/release}
out=${2:-$root/build/demo}
rate=250000 # bytes per second that the server takes in, so that there is a middle to be killed in

die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

program() {
    local folder
    for folder in "$bin" "$bin/bin"; do
        if [[ -x $folder/$1 ]]; then
            printf '%s\n' "$folder/$1"
            return
        fi
    done
    die "there is no $1 in $bin (build it first: ./run build)"
}

sideline=$(program sideline)
sidelined=$(program sidelined)
server='' background=''
began=$(date +%s%3N)

stop_children() {
    local pid
    for pid in $background $server; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in $background $server; do
        wait "$pid" 2>/dev/null || true
    done
    background='' server=''
}
trap stop_children EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the account of what happens ----

steps=()
step_title='' step_began=0

step() {
    end_step
    step_title=$*
    step_began=$(date +%s%3N)
    printf '\n%s\n' "$*"
}

end_step() {
    [[ -n $step_title ]] || return 0
    local ms=$(($(date +%s%3N) - step_began))
    printf '    %d.%03d s\n' $((ms / 1000)) $((ms % 1000))
    steps+=("{\"step\": \"$step_title\", \"ms\": $ms}")
    step_title=''
}

say() {
    printf '    %s\n' "$*"
}

# Runs quietly; what it said is shown when it fails.
quietly() {
    local log=$out/last.log
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        die "this failed: $*"
    fi
}

# Lets a program's own progress bar through on a terminal.
with_bar() {
    if [[ -t 2 ]]; then
        "$@" >"$out/last.log"
    else
        quietly "$@"
    fi
}

# In the background the program itself is started: a killed function would leave it behind.
anna() {
    "$sideline" --data "$out/anna" --key "$out/anna.key" --server "$url" "$@"
}

carl() {
    "$sideline" --data "$out/carl" --key "$out/carl.key" --server "$url" "$@"
}

field() { # JSON FIELD: the first value of a field in flat JSON
    sed -nE "s/.*\"$2\": *\"?([^\",}]*).*/\1/p" <<<"$1" | head -n 1
}

start_server() { # PORT
    rm -f "$out/port"
    "$sidelined" --data "$out/server" --port "$1" --port-file "$out/port" --upload-rate "$rate" --mfa optional \
        >>"$out/server.log" 2>&1 &
    server=$!
    local i
    for ((i = 0; i < 100; i++)); do
        [[ ! -s $out/port ]] || break
        kill -0 "$server" 2>/dev/null || die "the server ended: $(tail -n 1 "$out/server.log")"
        sleep 0.05
    done
    [[ -s $out/port ]] || die "the server did not say its port"
    port=$(<"$out/port")
    url=http://127.0.0.1:$port
}

stop_server() {
    kill "$server"
    wait "$server" || die "the server did not end cleanly"
    server=''
}

# ---- the job ----

found=$("$root/tests/tools/fetch-clips.sh")
clip=$(sed -n 's/^clip=//p' <<<"$found")
speech=$(sed -n 's/^speech=//p' <<<"$found")
[[ -f $clip && -f $speech ]] || die "the clip or the speech is missing"

rm -rf "$out"
mkdir -p "$out"
export SIDELINE_PASSWORD='a long enough password'
unset SIDELINE_DATA SIDELINE_SERVER

step "1. The server starts with an empty folder"
start_server 0
say "sidelined on port $port, SQLite and files in one folder"

step "2. An athlete and a coach sign up and connect"
quietly anna signup anna@example.org --birth 1990-01-31 --name Anna --role athlete
quietly carl signup carl@example.org --birth 1990-01-31 --name Carl --role coach
quietly anna connect carl@example.org
quietly carl accept anna@example.org
quietly anna sync
anna connections | sed 's/^/    /'

step "3. Anna imports a clip; her app is killed in the middle of the upload"
size=$(stat -c %s "$clip")
sha=$(sha256sum "$clip" | cut -d ' ' -f 1)
anna --offline import "$clip" --title "Ball, first throw" | sed 's/^/    /'
video=$(field "$(anna videos --json)" id)
"$sideline" --data "$out/anna" --key "$out/anna.key" sync >"$out/upload.log" 2>&1 &
upload=$!
background=$upload
percent=0
while ((percent < 20)); do
    kill -0 "$upload" 2>/dev/null || die "the upload ended early: $(tail -n 1 "$out/upload.log")"
    sleep 0.05
    percent=$(sed -nE 's/.*\(([0-9]+) %\)$/\1/p' "$out/upload.log" | tail -n 1)
    percent=${percent:-0}
    [[ ! -t 1 ]] || printf '\r    uploading %3d %%' "$percent"
done
[[ ! -t 1 ]] || printf '\n'
kill -9 "$upload"
wait "$upload" 2>/dev/null || true
background=''
say "killed (SIGKILL) at $percent % of $size bytes"
sleep 1 # what was on the wire arrives without its sender
kept=$(find "$out/server/uploads" -type f -printf '%s\n' | sort -n | tail -n 1)
kept=${kept:-0}
say "the server kept $kept bytes"
((kept > 0 && kept < size)) || die "the upload was not interrupted in its middle"
with_bar anna sync
say "started again: the other $((size - kept)) bytes were sent"
stored=$(find "$out/server/blobs" -name "$sha*" -type f -print -quit)
[[ -n $stored ]] || die "the server has no file called $sha"
server_sha=$(sha256sum "$stored" | cut -d ' ' -f 1)
[[ $server_sha == "$sha" ]] || die "the server's copy differs"
say "SHA-256 of the server's copy = SHA-256 of the clip: ${sha:0:16}..."
quietly anna share "$video" carl@example.org
say "shared with carl@example.org"

step "4. Carl's app fetches, then there is no network: the server is stopped"
quietly carl sync
carl videos | sed 's/^/    /'
stop_server
carl --offline draw "$video" "$root/examples/demo/drawings.json" | sed 's/^/    /'
carl --offline voice "$video" "$speech" | sed 's/^/    /'
carl --offline review "$video" --voice last --script "$root/examples/demo/review.json" \
    --title "Low and slow" | sed 's/^/    /'
waiting=$(carl info sync)
say "waiting in Carl's outbox: $(field "$waiting" outbox) changes, $(field "$waiting" uploads) files"
[[ $(field "$waiting" outbox) -gt 0 ]] || die "nothing waits in the outbox"

step "5. The network is back: everything arrives"
start_server "$port"
with_bar carl sync
quietly anna sync
[[ $(field "$(carl info sync)" outbox) == 0 ]] || die "something still waits"
[[ $(carl items "$video" --json) == "$(anna items "$video" --json)" ]] ||
    die "the two do not have the same drawings"
say "Anna and Carl hold the same $(anna items "$video" | wc -l) drawings"

step "6. Carl sends the review as a message; Anna's app is connected"
"$sideline" --data "$out/anna" --key "$out/anna.key" listen --until "your review" --seconds 30 >"$out/anna.log" 2>&1 &
listener=$!
background=$listener
for ((i = 0; i < 200; i++)); do
    ! grep -q online "$out/anna.log" || break
    sleep 0.05
done
quietly carl send anna@example.org "Anna, here is your review" --review last
wait "$listener" || die "Anna did not get the message: $(tail -n 1 "$out/anna.log")"
background=''
grep "your review" "$out/anna.log" | sed 's/^/    Anna sees:  /'
quietly carl sync
delivered=$(carl messages anna@example.org | tail -n 1)
say "Carl sees:  $delivered"
"$sideline" --data "$out/carl" --key "$out/carl.key" listen --until "Anna: read" --seconds 30 >"$out/carl.log" 2>&1 &
listener=$!
background=$listener
for ((i = 0; i < 200; i++)); do
    ! grep -q online "$out/carl.log" || break
    sleep 0.05
done
quietly anna read carl@example.org
wait "$listener" || die "Carl did not hear that it was read: $(tail -n 1 "$out/carl.log")"
background=''
read_mark=$(carl messages anna@example.org | tail -n 1)
say "Carl sees:  $read_mark"
[[ $delivered == *"(delivered)"* ]] || die "the message was not marked as delivered"
[[ $read_mark == *"(read)"* ]] || die "the message was not marked as read"

step "7. Anna makes a still and exports the review"
quietly anna still "$video" "$out/still.png" --at 1.0
with_bar anna export last "$out/review.mp4"
say "still.png  $(stat -c %s "$out/still.png") bytes"
say "review.mp4 $(stat -c %s "$out/review.mp4") bytes: $(sed 's/^[^:]*: //' "$out/last.log" | tail -n 1)"

step "8. The server stops"
stop_server
end_step

total=$(($(date +%s%3N) - began))
{
    printf '{\n  "version": "%s",\n' "$("$sideline" --version | cut -d ' ' -f 2)"
    printf '  "clip": {"bytes": %d, "sha256": "%s", "server_sha256": "%s"},\n' \
        "$size" "$sha" "$server_sha"
    printf '  "upload": {"killed_at_percent": %d, "bytes_kept": %d},\n' "$percent" "$kept"
    printf '  "offline": {"changes": %d, "files": %d},\n' \
        "$(field "$waiting" outbox)" "$(field "$waiting" uploads)"
    printf '  "marks": {"delivered": true, "read": true},\n'
    printf '  "outputs": {"still_png": %d, "review_mp4": %d},\n' \
        "$(stat -c %s "$out/still.png")" "$(stat -c %s "$out/review.mp4")"
    printf '  "steps": [\n'
    for ((i = 0; i < ${#steps[@]}; i++)); do
        printf '    %s%s\n' "${steps[i]}" "$([[ $i -eq $((${#steps[@]} - 1)) ]] || printf ,)"
    done
    printf '  ],\n  "total_ms": %d\n}\n' "$total"
} >"$out/report.json"
rm -f "$out/last.log" "$out/port"
printf '\nDone in %d.%03d s: %s\n' $((total / 1000)) $((total % 1000)) \
    "${out#"$PWD"/}/{still.png,review.mp4,report.json}"

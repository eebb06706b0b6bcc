#!/usr/bin/env bash
# One case of the system tests: cases.sh CASE SIDELINE SIDELINED [sealed]
#
# sealed: every client's folder is sealed, and afterwards nothing of theirs can be read in it.
#
# Wrong input of every kind: one clear sentence on stderr, the right exit code, and afterwards
# nothing is lost. Each case makes what it needs in a folder of its own and takes it away again.
set -euo pipefail

case_name=$1 sideline=$2 sidelined=$3 sealed=${4:-}
clip=$PWD/tests/data/clip.mp4 hd=$PWD/tests/data/hd.mp4
work=$(mktemp -d)
server='' others='' mounts='' url='' port=''
export SIDELINE_PASSWORD='a long enough password'
unset SIDELINE_DATA SIDELINE_SERVER SIDELINE_KEY

clean_up() {
    local pid folder
    for pid in $others $server; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    for folder in $mounts; do
        umount "$folder" || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
[[ -z $sealed ]] || export SIDELINE_KEY=$work/device.key

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

# expect CODE WORDS COMMAND...: the exit code, and exactly one line on stderr, with these words.
expect() {
    local code=$1 words=$2 got=0
    shift 2
    "$@" >stdout.txt 2>stderr.txt || got=$?
    [[ $got == "$code" ]] || fail "exit code $got, not $code: $* ($(cat stderr.txt))"
    [[ $(wc -l <stderr.txt) == 1 ]] || fail "not one line: $* ($(cat stderr.txt))"
    grep -qiE "^(sideline|sidelined): .*($words)" stderr.txt ||
        fail "no \"$words\" in: $(cat stderr.txt)"
    printf 'ok %3d  %s\n' "$code" "$(cat stderr.txt)"
}

ok() {
    "$@" >stdout.txt 2>stderr.txt || fail "exit code $?: $* ($(cat stderr.txt))"
}

# Lines that a command prints.
lines() {
    "$@" 2>/dev/null | wc -l
}

wait_for() { # PATTERN FILE
    local i
    for ((i = 0; i < 600; i++)); do
        ! grep -q "$1" "$2" 2>/dev/null || return 0
        sleep 0.05
    done
    fail "\"$1\" did not come: $(cat "$2")"
}

start_server() { # [PORT [DATA [OPTION...]]]
    rm -f port server.log
    "$sidelined" --data "${2:-srv}" --port "${1:-0}" --port-file port --mfa optional "${@:3}" >server.log 2>&1 &
    server=$!
    wait_for listening server.log
    port=$(<port)
    url=http://127.0.0.1:$port
    export SIDELINE_SERVER=$url
}

stop_server() {
    local code=0
    kill "$server"
    wait "$server" || code=$?
    server=''
    [[ $code == 0 ]] || fail "the server ended with $code"
}

sl() { # DATA COMMAND...
    local data=$1
    shift
    "$sideline" --data "$data" "$@"
}

# Fetches news until so many videos of a are ready.
ready() { # COUNT
    local i
    for ((i = 0; i < 300; i++)); do
        sl a sync >stdout.txt 2>stderr.txt || true
        [[ $(sl a videos | grep -c ' ready ') != "$1" ]] || return 0
        sleep 0.1
    done
    fail "not $1 videos are ready: $(sl a videos)"
}

sign_up() {
    ok sl a signup anna@example.org --birth 1990-01-31 --name Anna --role athlete
}

mount_small() { # FOLDER SIZE
    mkdir -p "$1"
    [[ $(id -u) == 0 ]] || skip "a small disk needs root"
    mount -t tmpfs -o "size=$2" none "$1" 2>/dev/null || skip "no small disk can be mounted here"
    mounts="$mounts $work/$1"
}

fill_up() {
    dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null || true
    sync "$1/filler" 2>/dev/null || true
}

case_usage() {
    expect 2 'unknown option' "$sideline" --wrong
    expect 2 'unknown option' "$sideline" --data a videos --wrong
    expect 2 'unknown option' "$sideline" -x
    expect 2 'unknown command' "$sideline" --data a dance
    expect 2 'usage: sideline import' "$sideline" --data a import
    expect 2 'needs a value' "$sideline" --data
    expect 2 'needs --script' "$sideline" --data a review last --voice last
    expect 2 'has no option --at' "$sideline" --data a videos --at 1
    expect 2 'timeout' "$sideline" --data a sync --timeout soon
    expect 2 'takes seconds' "$sideline" --data a still last x.png --at noon
    expect 2 'unknown option' "$sidelined" --data srv --wrong
    expect 2 'data DIR is required' "$sidelined"
    expect 2 'port' "$sidelined" --data srv --port 70000
    expect 2 'unexpected argument' "$sidelined" srv
    [[ ! -e srv ]] || fail "a wrong command line made a folder"
    ok "$sideline" help
    ok "$sidelined" --help
}

# Frames, stills, thumbnails and sheets, offline: the clip has 50 frames, 25 a second.
case_looking() {
    ok sl a --offline import "$clip" --title Throw
    ok sl a --offline frames last f.png --at 1 --count 3
    [[ -s f-0002.png && ! -e f-0003.png ]] || fail "there are not three frames"
    ok sl a --offline frames last one.png --at 1.08
    cmp f-0002.png one.png || fail "the second frame after 1 s is not that at 1.08 s"
    ok sl a --offline frames last b.png --at 1.08 --count 3 --back
    cmp f-0000.png b-0002.png || fail "two frames back is not where it began"
    ok sl a --offline frames last quick.png --at 1.08 --scrub
    ok sl a --offline sheet last sheet.jpg --count 6
    [[ $(grep -c 'sheet.jpg#xywh=' sheet.vtt) == 6 ]] || fail "the index has not six pictures"
    ok sl a thumbnail "$clip" t.jpg --side 100
    [[ $(head -c 3 t.jpg | od -An -tx1) == " ff d8 ff" ]] || fail "the thumbnail is no JPEG"
    expect 1 'is 16 to 1920' sl a thumbnail "$clip" t.jpg --side 15
    expect 1 'not a video' sl a thumbnail stdout.txt t.jpg
    expect 1 'has 1 to 400' sl a --offline sheet last sheet.jpg --count 401
    expect 2 'from 1 to 1000' sl a --offline frames last f.png --count 0
    expect 2 'takes seconds' sl a --offline frames last f.png --at soon
}

case_missing_file() {
    expect 1 'cannot be opened' sl a --offline import nothing.mp4
    expect 1 'is not a file' sl a --offline import .
    [[ $(lines sl a videos) == 0 ]] || fail "there is a video"
    expect 1 'cannot be made|cannot be opened|cannot be used|folder' \
        sl /proc/nowhere/a --offline videos
    expect 1 'data folder' "$sidelined" --data /proc/nowhere/srv
}

case_not_a_video() {
    printf 'no video' >text.mp4
    : >empty.mp4
    head -c 20000 /dev/urandom >noise.mp4
    local file
    for file in text empty noise; do
        expect 1 'not a video|damaged' sl a --offline import "$file.mp4"
    done
    [[ $(lines sl a videos) == 0 ]] || fail "there is a video"
    [[ $(find a -size +0 -name '*.mp4' | wc -l) == 0 ]] || fail "files were left"
    ok sl a --offline import "$clip"
    [[ $(lines sl a videos) == 1 ]] || fail "a good clip was not taken"
}

case_truncated_video() {
    local size
    size=$(stat -c %s "$clip")
    head -c $((size / 2)) "$clip" >half.mp4
    head -c $((size - 100)) "$clip" >nearly.mp4
    expect 1 'damaged|cut off|not a video' sl a --offline import half.mp4
    expect 1 'damaged|cut off|not a video' sl a --offline import nearly.mp4
    [[ $(lines sl a videos) == 0 ]] || fail "there is a video"
}

case_wrong_password() {
    start_server
    sign_up
    SIDELINE_PASSWORD='not the password' expect 1 'password' sl b login anna@example.org
    expect 1 'password' sl b login nobody@example.org
    SIDELINE_PASSWORD=short expect 1 'password' sl b signup b@example.org --birth 1990-01-31 --name B
    expect 1 'signed in' sl b whoami
    ok sl b login anna@example.org
    expect 1 'another user|belongs' sl b signup c@example.org --birth 1990-01-31 --name C
    ok sl a sync
}

case_server_away() {
    start_server
    sign_up
    local was=$port
    stop_server
    expect 1 'server does not answer' sl a sync --timeout 2
    expect 1 'server does not answer' sl a import "$clip" --title Kept --timeout 2
    [[ $(lines sl a videos) == 1 ]] || fail "the import was lost"
    start_server "$was"
    ready 1
    sl a videos | grep -q 'ready .*Kept' || fail "the import was not sent: $(sl a videos)"
    stop_server
    expect 1 'server' sl b login anna@example.org --timeout 2
    ok sl a --offline videos
}

case_disk_full_client() {
    mount_small disk 2m
    ok sl disk/a --offline import "$clip" --title First
    local big=disk/a
    fill_up disk
    expect 1 'full' sl $big --offline import "$clip" --title Second
    [[ $(lines sl $big videos) == 1 ]] || fail "the first video is gone: $(sl $big videos 2>&1)"
    rm disk/filler
    [[ $(lines sl $big videos) == 1 ]] || fail "the first video is gone"
    ok sl $big --offline import "$clip" --title Second
    [[ $(lines sl $big videos) == 2 ]] || fail "no room was used again"
}

case_disk_full_server() {
    mount_small disk 2m
    start_server 0 disk/srv
    sign_up
    ok sl a import "$clip" --title First
    fill_up disk
    local code=0
    cp "$clip" other.mp4
    printf 'x' >>other.mp4
    sl a import other.mp4 --title Second --timeout 3 >stdout.txt 2>stderr.txt || code=$?
    [[ $code == 1 ]] || fail "a full server took it ($code)"
    tail -n 1 stderr.txt
    kill -0 "$server" || fail "the server died of a full disk"
    rm disk/filler
    ok sl a sync --timeout 60
    ready 2
    stop_server
}

case_corrupt_client() {
    start_server
    sign_up
    ok sl a import "$clip" --title Kept
    cp -r a whole
    local size
    size=$(stat -c %s a/sideline.db)
    rm -f a/sideline.db-wal a/sideline.db-shm
    head -c "$size" /dev/urandom >a/sideline.db
    sha256sum a/sideline.db >before.txt
    expect 1 'damaged|corrupt|not a database' sl a --offline videos
    sha256sum --quiet -c before.txt || fail "the damaged file was changed"
    rm -rf a
    mv whole a
    ok sl a sync
    [[ $(lines sl a videos) == 1 ]] || fail "the copy does not work"
}

case_corrupt_server() {
    start_server
    sign_up
    stop_server
    cp -r srv whole
    rm -f srv/server.db-wal srv/server.db-shm
    head -c 100000 /dev/urandom >srv/server.db
    sha256sum srv/server.db >before.txt
    expect 1 'damaged|corrupt|not a database' "$sidelined" --data srv --port 0
    sha256sum --quiet -c before.txt || fail "the damaged file was changed"
    rm -rf srv
    mv whole srv
    start_server "$port"
    ok sl a sync
}

case_folder_in_use() {
    start_server
    sign_up
    "$sideline" --data a listen --seconds 60 >listen.log 2>&1 &
    others=$!
    wait_for online listen.log
    expect 1 'in use' "$sideline" --data a videos
    kill "$others"
    wait "$others" || true
    others=''
    ok sl a videos
    expect 1 'in use' "$sidelined" --data srv --port 0
    ok sl a sync
}

case_sealed_session() {
    start_server
    ok "$sideline" --data anna --key anna.key signup anna@example.org --birth 1990-01-31 --name Anna
    [[ $(stat -c '%s %a' anna.key) == '32 600' ]] || fail "the key file is $(stat -c '%s %a' anna.key)"
    expect 1 sealed "$sideline" --data anna whoami
    expect 1 sealed "$sideline" --data anna --key other.key whoami
    expect 1 "32 bytes" "$sideline" --data anna --key "$clip" whoami
    ok "$sideline" --data anna --key anna.key sync
    grep -q anna@example.org <("$sideline" --data anna --key anna.key whoami) || fail "not signed in"
}

case_wiped() {
    start_server
    sign_up
    ok sl a import "$clip" --title Serve
    ok "$sideline" --data a --offline import "$clip" --title Again
    expect 1 'nowhere else' "$sideline" --data a --offline logout --wipe
    [[ $(sl a videos | wc -l) == 2 ]] || fail "a refused wipe took something away"
    ok sl a sync
    ok sl a logout --wipe
    [[ -z $(find a -type f -size +0 ! -name lock) ]] || fail "left behind: $(find a -type f)"
    expect 1 'signed' "$sideline" --data a --server "http://127.0.0.1:$port" whoami
    ok sl a login anna@example.org
    ok sl a sync
    [[ $(sl a videos | wc -l) == 2 ]] || fail "not everything came again"
    ok "$sideline" --data a --offline import "$clip" --title Third
    ok "$sideline" --data a --offline logout --wipe --unsent
    [[ -z $(find a -type f -size +0 ! -name lock) ]] || fail "left behind: $(find a -type f)"
}

case_port_in_use() {
    start_server
    expect 1 "port $port .*in use" "$sidelined" --data other --port "$port"
    sign_up
}

case_interrupt() {
    start_server
    sign_up
    local was=$port code=0
    stop_server
    # Ctrl-C must work in a job of a script too, where it starts ignored.
    "$sideline" --data a sync --timeout 60 >stdout.txt 2>stderr.txt &
    others=$!
    wait_for ":$(stat -c %i a/lock) " /proc/locks # it has opened its folder
    kill -TERM "$others"
    wait "$others" || code=$?
    others=''
    [[ $code == 130 ]] || fail "exit code $code after an interrupt"
    start_server "$was"
    ok sl a sync
    kill -INT "$server"
    code=0
    wait "$server" || code=$?
    server=''
    [[ $code == 0 ]] || fail "the server ended with $code after an interrupt"
}

# A clip of some size, whose upload takes a while at the rate given to the server.
big_clip() {
    cat "$clip" >big.mp4
    # A free-space box at the end: players and probes pass over it.
    printf '\x00\x20\x00\x00free' >>big.mp4
    head -c $((2097152 - 8)) /dev/urandom >>big.mp4
}

stored_whole() {
    local sha
    sha=$(sha256sum big.mp4 | cut -d ' ' -f 1)
    [[ $(find srv/blobs -type f -name "$sha*" -exec sha256sum {} + | cut -d ' ' -f 1) == "$sha" ]] ||
        fail "the server's copy is not the clip"
}

case_client_killed() {
    big_clip
    start_server 0 srv --upload-rate 400000
    sign_up
    ok sl a --offline import big.mp4 --title Big
    "$sideline" --data a sync >stdout.txt 2>upload.log &
    others=$!
    wait_for '([2-6][0-9] %)' upload.log # in the middle, with seconds to go
    kill -9 "$others"
    wait "$others" 2>/dev/null || true
    others=''
    ok sl a sync
    stored_whole
    ready 1
}

case_server_killed() {
    big_clip
    start_server 0 srv --upload-rate 400000
    sign_up
    ok sl a --offline import big.mp4 --title Big
    "$sideline" --data a sync --timeout 60 >stdout.txt 2>upload.log &
    others=$!
    wait_for '([2-6][0-9] %)' upload.log # in the middle, with seconds to go
    kill -9 "$server"
    wait "$server" 2>/dev/null || true
    start_server "$port"
    # The running client comes back by itself.
    wait "$others" || fail "the client did not finish: $(cat upload.log)"
    others=''
    stored_whole
    ok sl b login anna@example.org
    ok sl b sync
    [[ $(lines sl b videos) == 1 ]] || fail "an accepted change was lost"
}

# What the server made of the only video: names of the variants, sorted.
variants() {
    sl a --json query '{"from":"variant","order":["id"]}' | grep -o '"name":"[0-9a-z]*"' | sort | tr -d '\n'
}

# A player that knows nothing of us gets every picture of every size from the address given out.
played() {
    local token='' id streams
    command -v curl >/dev/null || return 0
    asks 200 POST /api/v1/auth/login "{\"email\":\"anna@example.org\",\"password\":\"$SIDELINE_PASSWORD\",
        \"device\":\"01890000-0000-7000-8000-00000000000d\"}"
    token=$(value_of access_token)
    id=$(sl a --json query '{"from":"video"}' | grep -oE '"id":"[0-9a-f-]{36}"' | head -n 1 | cut -d '"' -f 4)
    asks 200 GET "/api/v1/videos/$id/playback"
    streams=$(ffprobe -v warning -count_frames -select_streams v -show_entries stream=height,nb_read_frames \
        -of csv=p=0 "$url$(value_of url)" 2>heard.txt | sed '/^$/d' | sort -u | tr '\n' ' ')
    [[ ! -s heard.txt ]] || fail "FFmpeg as a player: $(cat heard.txt)"
    [[ $streams == "$1" ]] || fail "a player sees \"$streams\""
}

case_streams() {
    start_server
    sign_up
    ok sl a import "$hd" --title Streamed
    ready 1
    local i all='"name":"480""name":"720""name":"poster"'
    for ((i = 0; i < 300; i++)); do
        sl a sync >/dev/null 2>&1 || true
        [[ $(variants) != "$all" ]] || break
        sleep 0.1
    done
    [[ $(variants) == "$all" ]] || fail "the variants are $(variants)"
    [[ -z $(find srv/media -type f) ]] || fail "left over: $(find srv/media -type f)"
    # What was made is whole, by another program's judgement.
    if command -v ffprobe >/dev/null; then
        local file
        for file in srv/blobs/*/*; do
            [[ -z $(ffprobe -v warning -count_frames "$file" 2>&1 >/dev/null) ]] || fail "ffprobe: $file"
        done
        played "480,120 720,120 "
    fi
    stop_server
}

case_streams_killed() {
    start_server 0 srv
    sign_up
    ok sl a import "$hd" --title Killed
    local i
    for ((i = 0; i < 15; i++)); do
        sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
        kill -9 "$server"
        wait "$server" 2>/dev/null || true
        start_server "$port"
    done
    ready 1
    local all='"name":"480""name":"720""name":"poster"'
    for ((i = 0; i < 300; i++)); do
        sl a sync >/dev/null 2>&1 || true
        [[ $(variants) != "$all" ]] || break
        sleep 0.1
    done
    [[ $(variants) == "$all" ]] || fail "the variants are $(variants)"
    stop_server
}

case_scan() {
    start_server
    sign_up
    stop_server
    ok sl a --offline import "$clip" --title Refused
    printf '#!/bin/sh\nexit 1\n' >refuse
    printf '#!/bin/sh\nexit 0\n' >pass
    chmod +x refuse pass
    start_server 0 srv --scan "$work/refuse"
    sl a sync >/dev/null 2>&1 || true
    local i
    for ((i = 0; i < 100; i++)); do
        sl a sync >/dev/null 2>&1 || true
        ! sl a videos | grep -q failed || break
        sleep 0.1
    done
    sl a --json query '{"from":"video"}' | grep -q 'scan for viruses refused' || fail "$(sl a videos)"
    stop_server
    start_server 0 srv --scan "$work/pass"
    ok sl a import "$hd" --title Clean
    ready 1
    stop_server
}

# Requests whose length can be read two ways are refused and the connection closed.
send_raw() {
    local answer
    # In one piece: the server answers and closes as soon as it has seen enough.
    printf '%b' "$2" >request.bin
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    cat request.bin >&9
    answer=$(timeout 5 cat <&9 || true)
    exec 9<&- 9>&-
    [[ $answer == "HTTP/1.1 $1 "* ]] || fail "not $1 but: ${answer:0:60} (for $2)"
    [[ $(grep -c '^HTTP/1.1' <<<"$answer") == 1 ]] || fail "answered twice: $2"
}

case_framing() {
    start_server
    local post='POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\n'
    send_raw 400 "${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"
    send_raw 400 "${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    send_raw 411 "${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    send_raw 400 "${post}Content-Length: +5\r\n\r\nabcde"
    send_raw 400 "${post}Content-Length: -1\r\n\r\n"
    send_raw 400 "${post}Content-Length : 5\r\n\r\nabcde"
    send_raw 400 "GET /api/v1/health HTTP/1.1\r\n\r\n"
    send_raw 400 "GET /api/v1/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    send_raw 413 "${post}Content-Length: 99999999\r\n\r\n"
    send_raw 200 "GET /api/v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    send_raw 404 "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
}

case_chat_end_to_end() {
    start_server
    sign_up
    ok sl b signup carl@example.org --birth 1990-01-31 --name Carl --role coach
    ok sl a connect carl@example.org
    expect 1 'did not take it' sl a connect nobody@example.org
    expect 1 'for carl@example.org to accept' sl a accept carl@example.org
    ok sl b accept anna@example.org
    ok sl a sync
    ok sl a --offline send carl@example.org 'written without a network'
    ok sl a sync
    ok sl b sync
    sl b messages anna@example.org | grep -q 'Anna: written without a network' ||
        fail "the message did not arrive: $(sl b messages anna@example.org)"
    ok sl b read anna@example.org
    ok sl a sync
    sl a messages last | grep -q '(read)' || fail "no read mark: $(sl a messages last)"
    ok sl b react last '+'
    ok sl b send anna@example.org '@Anna look here' --reply last
    ok sl a sync
    sl a messages last | grep -q 'network  + 1  (read)' || fail "no sign: $(sl a messages last)"
    sl a messages last | grep -q 'Carl: > written without a network > @Anna look here' ||
        fail "no answer: $(sl a messages last)"
    sl a unread | grep -q '^1 unread in 1 conversations, 1 of them to you; badge 1' ||
        fail "not one unread: $(sl a unread)"
    sl a search 'loo' | grep -q '@Anna \[look\] here' || fail "not found: $(sl a search 'loo')"
    expect 1 'by who wrote it' sl a edit last 'not mine'
    ok sl a begin last 'dear'
    sl a begin last | grep -q '"dear"' || fail 'what was begun is gone'
    ok sl a send last 'later' --in 3600
    sl a scheduled | grep -q '"later"' || fail "not planned: $(sl a scheduled)"
    ok sl a block carl@example.org
    ! sl a messages last | grep -q 'Carl:' || fail 'a blocked person is shown'
    sl a unread | grep -q '^0 unread' || fail "the blocked count: $(sl a unread)"
}

# STATUS METHOD PATH [BODY]: asks with the token; the answer is in answer.json.
asks() {
    local status
    status=$(curl -s -o answer.json -w '%{http_code}' -X "$2" -H "Authorization: Bearer $token" \
        ${4+-H 'Content-Type: application/json' --data-binary "$4"} "$url$3")
    [[ $status == "$1" ]] || fail "not $1 but $status for $2 $3 ${4-}: $(cat answer.json)"
}

value_of() { # NAME: of a text in the answer
    sed -E "s/.*\"$1\":\"([^\"]*)\".*/\1/" answer.json
}

# Pushing and pulling by requests, as a program without a WebSocket does.
case_rest() {
    local token='' device=01890000-0000-7000-8000-00000000000d user goal push pull
    command -v curl >/dev/null || skip 'needs curl'
    start_server
    asks 201 POST /api/v1/auth/signup "{\"email\":\"anna@example.org\",\"password\":\"$SIDELINE_PASSWORD\",
        \"name\":\"Anna\",\"birth_date\":\"1990-01-31\",\"role\":\"athlete\",\"device\":\"$device\"}"
    token=$(value_of access_token)
    user=$(value_of id)
    goal=01890000-0000-7000-8000-000000000001
    push="{\"ops\":[{\"n\":1,\"op\":\"create\",\"entity\":\"goal\",\"space\":\"user:$user\",\"id\":\"$goal\",
        \"fields\":{\"title\":\"Under par\"},\"hlc\":\"018c00000000000000000001\"}]}"
    asks 200 POST /api/v1/sync/push "$push"
    grep -q '"result":"applied"' answer.json || fail "not applied: $(cat answer.json)"
    cp answer.json first.json
    asks 200 POST /api/v1/sync/push "$push" # sent again: the same receipt, and once its effect
    cmp -s answer.json first.json || fail "another receipt: $(cat answer.json)"
    pull="/api/v1/sync/pull?space=user%3A$user"
    asks 200 GET "$pull"
    [[ $(grep -o '"title":"Under par"' answer.json | wc -l) == 1 ]] || fail "no goal: $(cat answer.json)"
    grep -q '"more":false' answer.json || fail "no end: $(cat answer.json)"
    asks 200 POST /api/v1/sync/pull "{\"space\":\"user:$user\",\"epoch\":\"$(value_of epoch)\",\"from\":1}"
    asks 409 GET "$pull&from=1"
    asks 409 GET "$pull&from=1&epoch=$goal"
    asks 404 GET "/api/v1/sync/pull?space=thread:$goal"
    asks 422 GET "/api/v1/sync/pull?space=nowhere"
    asks 422 GET "$pull&from=one"
    asks 400 GET "/api/v1/sync/pull?a_name_that_is_too_long=1"
    asks 400 POST /api/v1/sync/push 'no JSON'
    asks 400 POST /api/v1/sync/push '{"ops":[]}'
    asks 405 GET /api/v1/sync/push
    asks 405 PUT /api/v1/sync/pull '{}'
    asks 422 GET "/api/v1/sync/load?space=user:$user"
    asks 200 GET "/api/v1/sync/load?space=user:$user&to=9&limit=9"
    asks 413 POST /api/v1/sync/pull "$(head -c 70000 /dev/zero | tr '\0' ' ')"
    token=wrong
    asks 401 GET "$pull"
    asks 401 POST /api/v1/sync/push "$push"
}

# A new device gets the newest of a long conversation, and the rest when it asks.
case_chat_history() {
    local i
    start_server
    sign_up
    ok sl b signup carl@example.org --birth 1990-01-31 --name Carl --role coach
    ok sl a connect carl@example.org
    ok sl b accept anna@example.org
    ok sl a sync
    for ((i = 1; i <= 120; i++)); do
        ok sl a --offline send carl@example.org "line $i."
    done
    ok sl a sync
    ok sl c login carl@example.org
    ok sl c sync
    [[ $(sl c messages last | grep -c 'line ') == 100 ]] || fail "not 100 lines: $(sl c messages last)"
    sl c messages last | head -n 1 | grep -q 'missing' || fail "no gap: $(sl c messages last | head -n 3)"
    sl c threads | grep -q '100+ messages' || fail "no +: $(sl c threads)"
    sl c messages last --older 15 >stdout.txt || fail 'older messages do not come'
    [[ $(grep -c 'line ' stdout.txt) == 115 ]] || fail "not 115 lines: $(cat stdout.txt)"
    grep -A 1 'missing' stdout.txt | grep -q 'line 6\.' || fail "the gap is elsewhere: $(head stdout.txt)"
    expect 2 'from 1 to 500' sl c messages last --older 0
    expect 2 'from 1 to 500' sl c messages last --older many
    expect 1 'offline' sl c --offline messages last --older 10
    sl c messages last --older 500 >stdout.txt || fail 'the oldest messages do not come'
    [[ $(grep -c 'line ' stdout.txt) == 120 ]] || fail "not all: $(cat stdout.txt)"
    ! grep -q 'missing' stdout.txt || fail 'a gap where there is none'
    ok sl c --offline messages last --older 10
}

# Two coaches in one organisation, by the commands alone.
case_organisation() {
    local id
    start_server
    ok sl a signup anna@example.org --birth 1990-01-31 --name Anna --role coach
    ok sl b signup ben@example.org --birth 1990-01-31 --name Ben --role coach
    expect 1 'no membership' sl a organisation invite Club ben@example.org
    expect 2 'as "sideline help" says' sl a organisation dance Club
    expect 2 'as "sideline help" says' sl a organisation invite Club
    ok sl a organisation make "Club of the North"
    ok sl a organisation invite Club ben@example.org
    expect 1 'no coach has this' sl a organisation invite Club nobody@example.org
    ok sl b sync
    sl b organisation | grep -q 'asked by Anna' || fail "not asked: $(sl b organisation)"
    expect 1 'there is nothing' sl b organisation numbers Club
    ok sl b organisation accept Club
    sl b organisation | grep -q 'Anna .*admin' || fail "not in it: $(sl b organisation)"
    ok sl a sync
    sl a organisation numbers Club | grep -q '^Ben .*0 athletes, 0 messages' || fail "no numbers: $(sl a organisation numbers Club)"
    id=$(sl a --json organisation | grep -o '"organisation_id":"[^"]*"' | cut -d '"' -f 4)
    sl b can patch organisation "organisation:$id" | grep -q '"allow":false' || fail "a member may lead"
    sl a can patch organisation "organisation:$id" | grep -q '"allow":true' || fail "the admin may not lead"
    expect 1 'only admin' sl a organisation leave Club
    ok sl a organisation admin Club Ben
    ok sl a organisation leave Club
    [[ -z $(sl a organisation) ]] || fail "still in it: $(sl a organisation)"
    ok sl b organisation close Club
    [[ -z $(sl b organisation) ]] || fail "still there: $(sl b organisation)"
}

# Drawings out of a video and back, offline: every format, files of others, and what is wrong with some.
case_drawing() {
    start_server
    sign_up
    stop_server
    ok sl a --offline import "$clip" --title Throw
    cat >draw.json <<'END'
[{"kind":"ruler","points":[[4000,13000],[24000,13000]],"style":{"length":2,"unit":"m"},"in":0,"out":2000000},
 {"kind":"arrow","points":[[4000,4000],[24000,4000]],"in":0,"out":2000000},
 {"kind":"text","points":[[4000,6000]],"text":"ارفع <المرفق>","in":1000000,"out":2000000}]
END
    ok sl a --offline draw last draw.json
    ok sl a --offline drawing last all.svg
    [[ $(grep -c '<g id="item-' all.svg) == 3 ]] || fail "not three drawings: $(cat all.svg)"
    ok sl a --offline drawing last then.svg --at 0.5
    grep -q 'data-kind="arrow"' then.svg || fail 'no arrow after half a second'
    ! grep -q 'data-kind="text"' then.svg || fail 'the text is there before its time'
    ok sl a --offline drawing last all.pdf
    [[ $(head -c 5 all.pdf) == %PDF- ]] || fail 'no PDF'
    ok sl a --offline drawing last all.csv
    grep -q ',length,2,m' all.csv || fail "the ruler does not measure: $(cat all.csv)"
    ok sl a --offline drawing last all.json
    grep -qF 'ارفع <المرفق>' all.json || fail "the text is not as it was: $(cat all.json)"

    ok sl a --offline import "$clip" --title Second
    ok sl a --offline draw last all.svg
    grep -q '3 drawings, 0 things' stdout.txt || fail "not all came back: $(cat stdout.txt)"
    ok sl a --offline drawing last back.svg
    diff <(sed 's/ id="[^"]*"//' all.svg) <(sed 's/ id="[^"]*"//' back.svg) >diff.txt ||
        fail "not as it was: $(head -n 5 diff.txt)"
    printf '%s' '<svg viewBox="0 0 64 36"><style>.a{stroke:lime} g a{stroke:red}</style>' \
        '<linearGradient id="g"><stop stop-color="red"/></linearGradient><line id="l" class="a" x2="9"' \
        ' y2="9"/><use href="#l" x="5"/><rect width="9" height="9" fill="url(#g)"/><image/></svg>' >other.svg
    ok sl a --offline draw last other.svg
    grep -q '3 drawings, 1 things' stdout.txt || fail "other.svg: $(cat stdout.txt)"
    grep -q '1 gradients' stdout.txt || fail "no note of the gradient: $(cat stdout.txt)"
    grep -q '1 rules' stdout.txt || fail "no note of the rule: $(cat stdout.txt)"

    ok sl a --offline drawing last before.json
    printf '<svg viewBox="0 0 9 9"><line' >torn.svg
    printf '[{"kind":"dance"}]' >kind.json
    expect 1 'well-formed' sl a --offline draw last torn.svg
    expect 1 'kind|tool' sl a --offline draw last kind.json
    expect 1 'not a JSON array' sl a --offline draw last all.pdf
    expect 1 'cannot be opened' sl a --offline draw last nothing.kva
    expect 2 'takes seconds' sl a --offline drawing last x.svg --at noon
    expect 2 'written as' sl a --offline drawing last x.docx
    expect 1 'cannot be written' sl a --offline drawing last nowhere/x.svg
    ok sl a --offline drawing last after.json
    cmp before.json after.json || fail 'what was refused has changed something'
}

# What was said, who said it, clips, pictures and databases: the server's folder, which is not sealed,
# shows that the search would find them.
nothing_in_the_clear() {
    local words='(anna|carl)@example\.org|written without a network|SQLite format 3|ftypisom|JFIF'
    local folder found
    grep -rqlaE "$words" srv || fail "the search finds nothing where there is something"
    for folder in a b; do
        [[ -d $folder ]] || continue
        found=$(grep -rlaE "$words" "$folder" || true)
        [[ -z $found ]] || fail "in the clear: $found"
    done
}

declare -F "case_$case_name" >/dev/null || fail "no such case: $case_name"
"case_$case_name"
[[ -z $sealed ]] || nothing_in_the_clear
printf 'passed: %s\n' "$case_name"

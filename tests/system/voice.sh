#!/usr/bin/env bash
# What others make of our voices: voice.sh CASE SIDELINE MATCH
#   files    opusinfo, opusdec and FFmpeg take every file without a warning and hear, within 10 ms,
#            what went in; loudness as ebur128 measures it
#   capture  a real PulseAudio server: microphones listed, recorded, unplugged and replaced
set -euo pipefail

case_name=$1 sideline=$2 match=$3
root=$PWD
work=$(mktemp -d)
pulse=''
unset SIDELINE_DATA SIDELINE_SERVER SIDELINE_KEY

clean_up() {
    if [[ -n $pulse ]]; then
        kill "$pulse" 2>/dev/null || true
        wait "$pulse" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

for tool in ffmpeg ffprobe; do
    command -v "$tool" >/dev/null || skip "there is no $tool"
done
clips=$("$root/tests/tools/fetch-clips.sh" 2>/dev/null) || skip "the clips cannot be fetched"
speech=$(sed -n 's/^speech=//p' <<<"$clips")
cd "$work"

me() {
    "$sideline" --data "$work/data" --offline "$@"
}

# wav IN OUT [ffmpeg options]: any file to a WAV of 48 kHz; no decoder may say a word.
wav() {
    local from=$1 to=$2
    shift 2
    ffmpeg -nostdin -v warning -xerror -i "$from" "$@" -ac 1 -ar 48000 -c:a pcm_s16le -y "$to" \
        2>said.txt || fail "FFmpeg refuses $from: $(cat said.txt)"
    ! grep -v 'Guessed Channel Layout' said.txt || fail "FFmpeg does not like $from"
}

# same WHAT A.wav B.wav: the same sound at the same time.
same() {
    local got
    got=$("$match" "$2" "$3" 10 0.7) || fail "$1: shift and likeness are $got"
    printf 'ok  %-28s shift %s ms, likeness %s\n' "$1" "${got% *}" "${got#* }"
}

seconds() {
    ffprobe -v warning -show_entries format=duration -of csv=p=0 "$1" 2>said.txt
    [[ ! -s said.txt ]] || fail "ffprobe on $1: $(cat said.txt)"
}

# close_to WHAT A B TOLERANCE
close_to() {
    awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; exit !(d <= t && d >= -t) }' ||
        fail "$1: $2 is not $3"
    printf 'ok  %-28s %s\n' "$1" "$2"
}

# whole FILE.opus: opusinfo and opusdec say nothing against it.
whole() {
    if command -v opusinfo >/dev/null; then
        opusinfo "$1" >info.txt 2>&1 || fail "opusinfo refuses $1: $(cat info.txt)"
        ! grep -qi warning info.txt || fail "opusinfo on $1: $(grep -i warning info.txt)"
        opusdec --quiet --rate 48000 "$1" dec.wav 2>said.txt || fail "opusdec refuses $1"
        [[ ! -s said.txt ]] || fail "opusdec on $1: $(cat said.txt)"
    fi
}

loudness() {
    ffmpeg -nostdin -i "$1" -af ebur128 -f null - 2>&1 |
        sed -nE 's/^ +I: +(-?[0-9.]+) LUFS/\1/p' | tail -n 1
}

# below WHAT A LIMIT
below() {
    awk -v a="$2" -v b="$3" 'BEGIN { exit !(a <= b) }' || fail "$1: $2 is above $3"
    printf 'ok  %-28s %s\n' "$1" "$2"
}

# The true peak as ebur128 measures it, in dB of full scale.
true_peak() {
    ffmpeg -nostdin -i "$1" -af ebur128=peak=true -f null - 2>&1 |
        sed -nE 's/^ +Peak: +(-?[0-9.]+) dBFS/\1/p' | tail -n 1
}

case_files() {
    local input=0 option
    wav "$speech" in.wav -af highpass=f=80 # as the recorder does
    input=$(seconds in.wav)
    me import "$root/tests/data/clip.mp4" --title clip >/dev/null
    for option in "" --denoise --level "--denoise --level"; do
        # shellcheck disable=SC2086
        me voice clip "$speech" $option --json >take.json
        me take last out.opus
        whole out.opus
        wav out.opus out.wav
        same "voice $option" in.wav out.wav
        close_to "length" "$(seconds out.opus)" "$input" 0.007 # FFmpeg counts the pre-skip
        if [[ $option != *level* ]]; then
            close_to "loudness" "$(loudness out.opus)" -16 1 # its peaks as decoded leave no more
            below "true peak" "$(true_peak out.opus)" 0.1
        fi
        if [[ -e dec.wav ]]; then
            same "opusdec" in.wav dec.wav
        fi
    done
    me voice clip "$speech" --json >/dev/null
    me take last out.opus
    local kind
    for kind in m4a caf; do
        me take last out.$kind
        wav out.$kind out.wav
        same "$kind" in.wav out.wav
        close_to "$kind loudness" "$(loudness out.$kind)" -16 1.5
        below "$kind true peak" "$(true_peak out.$kind)" 0.1
    done
    close_to "m4a length" "$(seconds out.m4a)" "$input" 0.0001
    me take last cut.opus --from 2.5 --to 6.25
    whole cut.opus
    wav in.wav part.wav -ss 2.5 -t 3.75
    wav cut.opus cut.wav
    close_to "cut length" "$(seconds cut.wav)" 3.75 0.0001
    same "cut" part.wav cut.wav
    me take last cut.m4a --from 2.5 --to 6.25
    wav cut.m4a cut.wav
    same "cut in m4a" part.wav cut.wav
    me take last play.wav
    same "played" in.wav play.wav
    me take last slow.wav --rate 0.5
    close_to "played at half the speed" "$(seconds slow.wav)" \
        "$(awk -v s="$input" 'BEGIN { print 2 * s }')" 0.001
}

start_pulse() {
    local tool
    for tool in pulseaudio pactl paplay; do
        command -v "$tool" >/dev/null || skip "there is no $tool"
    done
    mkdir -p run home
    chmod 700 run
    export XDG_RUNTIME_DIR=$work/run HOME=$work/home PULSE_SERVER=unix:$work/run/native
    pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --log-target=file:"$work/pulse.log" \
        -L "module-native-protocol-unix auth-anonymous=1 socket=$work/run/native" \
        -L "module-null-sink sink_name=room rate=48000 channels=1" \
        -L "module-remap-source master=room.monitor source_name=one source_properties=device.description=First" \
        -L "module-remap-source master=room.monitor source_name=two source_properties=device.description=Second" &
    pulse=$!
    local i
    for i in {1..100}; do
        if pactl info >/dev/null 2>&1; then
            return
        fi
        kill -0 "$pulse" 2>/dev/null || skip "PulseAudio does not start: $(tail -n 1 pulse.log)"
        sleep 0.1
    done
    skip "PulseAudio does not answer ($i tries)"
}

case_capture() {
    local input
    wav "$speech" raw.wav -t 6
    wav raw.wav in.wav -af highpass=f=80
    start_pulse
    me import "$root/tests/data/clip.mp4" --title clip >/dev/null
    me microphones >devices.txt
    [[ -s devices.txt ]] || skip "SDL 2 is not installed, or has no PulseAudio"
    cat devices.txt
    grep -qx First devices.txt || fail "the first microphone is not listed"
    grep -qx Second devices.txt || fail "the second microphone is not listed"

    printf 'sideline: There is no microphone "None"\n' >want.txt
    if me record clip --device None 2>said.txt; then
        fail "a microphone that is not there was opened"
    fi
    cmp -s want.txt said.txt || fail "said: $(cat said.txt)"

    me record clip --device First --seconds 11 --json >take.json 2>said.txt &
    local recorder=$!
    # A monitor takes up to two seconds to begin.
    sleep 2.2
    paplay --device=room raw.wav
    wait "$recorder" || fail "record: $(cat said.txt)"
    me take last out.wav
    input=$("$match" in.wav out.wav 6000 0.7 0 6000) || fail "what was played is not in it: $input"
    printf 'ok  %-28s after %s ms, likeness %s\n' "captured" "${input% *}" "${input#* }"
    close_to "captured length" "$(seconds out.wav)" 11 0.3

    # Unplugged in the middle: it goes on with what there is.
    me record clip --device First --seconds 6 --json >take.json 2>said.txt &
    recorder=$!
    sleep 2.5
    pactl unload-module "$(pactl list short modules | awk '/source_name=one/ { print $1 }')"
    wait "$recorder" || fail "record, unplugged: $(cat said.txt)"
    grep -q "the microphone is gone" said.txt || fail "nobody noticed that it was unplugged"
    me take last out.opus
    whole out.opus
    close_to "unplugged length" "$(seconds out.opus)" 6 0.3
}

"case_$case_name"

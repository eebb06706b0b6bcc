#!/usr/bin/env bash
# player.sh SIDELINE: Chromium plays an exported review, seeks in it and shows the frame that belongs
# there, and plays a voice as Ogg and as MP4 to its end. Skipped where there is no Chromium.
set -euo pipefail

sideline=$1
clip=$PWD/tests/data/clip.mp4
browser=$(command -v chromium || command -v chromium-browser || true)
[[ -n $browser ]] || {
    echo "skipped: there is no Chromium"
    exit 77
}
command -v ffmpeg >/dev/null || {
    echo "skipped: there is no ffmpeg"
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

sl() {
    "$sideline" --data data --offline "$@" >said.txt 2>&1 || fail "$* ($(cat said.txt))"
}

ffmpeg -v error -f lavfi -i 'sine=f=440:d=2:r=48000' -ac 1 speech.wav
echo '[{"t":0,"do":"play"}]' >script.json
sl import "$clip" --title Throw
sl voice last speech.wav
sl review last --voice last --script script.json
sl export last review.mp4
sl take last voice.opus
sl take last voice.m4a
# What the movie shows at 1.02 s, as one grey value for each of 4 by 3 places.
ffmpeg -v error -ss 1.02 -i review.mp4 -frames:v 1 -vf scale=4:3:flags=area,format=gray \
    -f rawvideo - | od -An -tu1 -v | tr -s ' \n' ' ' >wanted.txt

# In the page itself: what a page reads from files beside it, it may not look at.
data() { # TYPE FILE
    printf 'data:%s;base64,' "$1"
    base64 -w 0 "$2"
}
cat >page.html <<HTML
<!doctype html><script>
const said = [];
const say = (line) => said.push(line);
const once = (e, what) => new Promise((ok, no) => {
  e.addEventListener(what, ok, { once: true });
  e.addEventListener("error", () => no(new Error(what + ": " + e.error?.message)), { once: true });
});
async function film(src) {
  const v = document.createElement("video");
  v.muted = true;
  v.src = src;
  await once(v, "loadeddata");
  say("film " + v.videoWidth + "x" + v.videoHeight + " " + v.duration.toFixed(2));
  v.currentTime = 1.02;
  await once(v, "seeked");
  const c = document.createElement("canvas");
  c.width = v.videoWidth;
  c.height = v.videoHeight;
  const g = c.getContext("2d");
  g.drawImage(v, 0, 0);
  const grey = [];
  for (let y = 0; y < 3; y++) for (let x = 0; x < 4; x++) {
    const p = g.getImageData(x * c.width / 4, y * c.height / 3, c.width / 4, c.height / 3).data;
    let sum = 0;
    for (let i = 0; i < p.length; i += 4) sum += 0.299 * p[i] + 0.587 * p[i + 1] + 0.114 * p[i + 2];
    grey.push(Math.round(sum / (p.length / 4)));
  }
  say("grey " + grey.join(" "));
  v.playbackRate = 4;
  await Promise.all([once(v, "ended"), v.play()]);
  say("film ended " + v.currentTime.toFixed(2));
}
async function sound(name, src) {
  const a = document.createElement("audio");
  a.muted = true;
  a.src = src;
  await once(a, "loadeddata");
  a.playbackRate = 4;
  await Promise.all([once(a, "ended"), a.play()]);
  say(name + " ended " + a.currentTime.toFixed(2));
}
const tell = () => fetch("/said", { method: "POST", body: said.join("\n") + "\n" });
(async () => {
  await film("$(data video/mp4 review.mp4)");
  await sound("ogg", "$(data audio/ogg voice.opus)");
  await sound("m4a", "$(data audio/mp4 voice.m4a)");
  say("all");
})().catch((e) => say("error " + e.message)).then(tell);
</script>
HTML
# The page is served by a program that ends when the page has told what it saw.
cat >serve.py <<'PYTHON'
import http.server

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("page.html", "rb").read()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        said = self.rfile.read(int(self.headers["Content-Length"]))
        with open("said.txt", "wb") as file:
            file.write(said)
        self.send_response(204)
        self.end_headers()
        self.server.told = True

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Page)
server.told = False
with open("port.txt", "w") as file:
    file.write(str(server.server_port))
while not server.told:
    server.handle_request()
PYTHON
rm -f said.txt
timeout 120 python3 serve.py &
serving=$!
while [[ ! -s port.txt ]]; do
    kill -0 "$serving" 2>/dev/null || fail "the page cannot be served"
done
HOME=$work "$browser" --headless --no-sandbox --disable-gpu --no-first-run \
    --autoplay-policy=no-user-gesture-required --user-data-dir="$work/profile" \
    --remote-debugging-port=0 "http://127.0.0.1:$(cat port.txt)/" >browser.txt 2>&1 &
showing=$!
wait "$serving" || true
kill "$showing" 2>/dev/null || true
wait "$showing" 2>/dev/null || true
[[ -s said.txt ]] || fail "Chromium said nothing: $(tail -n 3 browser.txt)"
cat said.txt
for line in 'film 320x240 2.0' 'film ended 2.0' 'ogg ended 2.0' 'm4a ended 2.0' all; do
    grep -q "^$line" said.txt || fail "Chromium did not come to \"$line\""
done
paste <(sed -n 's/^grey //p' said.txt | tr ' ' '\n') <(tr ' ' '\n' <wanted.txt | sed '/^$/d') |
    awk '{ d = $1 - $2; if (d < 0) d = -d; n++; if (d > 4) bad++ }
         END { exit !(n == 12 && !bad) }' || fail "another frame than that at 1.02 s: $(cat wanted.txt)"
echo "passed"

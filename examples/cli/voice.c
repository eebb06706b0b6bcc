/* cli/voice.c - voice-overs: recorded from a file or a microphone, and taken out again. */
#include "cli.h"
#include "wav.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_PER_S = 100, /* pieces of 10 ms, as a microphone gives them */
    AHEAD_US = 200000, /* the recorder may lag this much behind what was pushed */
    STALLED_MS = 10000,
    US_PER_S = 1000000,
    RATE = 48000,
    LOOK_MS = 50,
    METER_WIDTH = 40,
    SECONDS_MAX = 36000,
    PIECE = 4800
};

static void space_of(const char *video, char out[64])
{
    (void)snprintf(out, 64, "video:%s", video);
}

/* An option's number within limits; false after saying what is wrong. */
static bool number(const cli *c, cli_opt option, const char *name, double most, double *out)
{
    char *end = NULL;
    const char *given = c->option[option];
    if (given == NULL) {
        return true;
    }
    double v = strtod(given, &end);
    if (end == given || *end != '\0' || !(v >= 0 && v <= most)) {
        (void)cli_fail("--%s takes a number from 0 to %g, not \"%s\"", name, most, given);
        return false;
    }
    *out = v;
    return true;
}

/* ---- recording ---- */

/* Pushes the sound as a microphone would, only faster: never further ahead than a little. */
static int push_sound(sl_recorder *r, const wav *sound)
{
    uint32_t piece = sound->rate / PIECE_PER_S > 0 ? sound->rate / PIECE_PER_S : 1;
    int code = CLI_OK;
    int64_t moved_ms = cli_now_ms();
    int64_t position = 0;
    for (uint32_t at = 0; at < sound->frames && code == CLI_OK;) {
        uint32_t n = sound->frames - at < piece ? sound->frames - at : piece;
        int64_t pushed_us = (int64_t)at * US_PER_S / sound->rate;
        int64_t now_us = sl_recorder_position(r);
        if (now_us != position) {
            position = now_us;
            moved_ms = cli_now_ms();
        }
        if (pushed_us - position > AHEAD_US) {
            cli_sleep_ms(1);
            code = cli_interrupted() ? CLI_INTERRUPTED : CLI_OK;
            if (code == CLI_OK && cli_now_ms() - moved_ms > STALLED_MS) {
                code = cli_fail("the recorder stands still");
            }
            continue;
        }
        size_t from = (size_t)at * sound->channels;
        sl_status st = sl_recorder_write16(r, sound->samples + from, n, NULL);
        code = st == SL_OK ? CLI_OK : cli_error(st, NULL);
        at += n;
    }
    return code;
}

static sl_recorder *start_recorder(cli *c, uint32_t rate, uint32_t channels)
{
    text json = {0};
    sl_recorder *r = NULL;
    sl_error *err = NULL;
    text_fmt(&json, "{\"rate\":%u,\"channels\":%u,\"denoise\":%s,\"level\":%s}", (unsigned)rate,
             (unsigned)channels, c->option[OPT_DENOISE] != NULL ? "true" : "false",
             c->option[OPT_LEVEL] != NULL ? "true" : "false");
    sl_status st = sl_recorder_new(c->core, json.data, json.len, &r, &err);
    text_free(&json);
    if (st != SL_OK) {
        (void)cli_error(st, err);
    }
    return r;
}

static int finish_recorder(sl_recorder *r, const char *space, js **take)
{
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    sl_status st = sl_recorder_finish(r, space, 1, &out, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    *take = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    return *take != NULL ? CLI_OK : cli_fail("the recorder's answer is no JSON");
}

static int record_sound(cli *c, const wav *sound, const char *space, js **take)
{
    sl_error *err = NULL;
    sl_recorder *r = start_recorder(c, sound->rate, sound->channels);
    if (r == NULL) {
        return CLI_FAILED;
    }
    sl_status st = sl_recorder_command(r, SL_RECORDER_RECORD, &err);
    int code = st == SL_OK ? push_sound(r, sound) : cli_error(st, err);
    if (code == CLI_OK) {
        code = finish_recorder(r, space, take);
    }
    sl_recorder_free(r);
    return code;
}

static int keep_voice(cli *c, const char *space, const js *take)
{
    char id[37];
    text fields = {0};
    text_fmt(&fields,
             "{\"blob\":\"%s\",\"duration_us\":%" PRId64 ",\"peaks\":", js_str(take, "blob"),
             js_int(take, "duration_us"));
    text_json(&fields, js_str(take, "peaks"));
    text_add(&fields, "}");
    int code = cli_create(c, "voice_over", space, fields.data, id);
    text_free(&fields);
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("{\"id\":\"%s\",\"duration_us\":%" PRId64
                     ",\"blob\":\"%s\",\"dropped\":%" PRId64 ",\"loudness\":%.*s}\n",
                     id, js_int(take, "duration_us"), js_str(take, "blob"), js_int(take, "dropped"),
                     (int)js_get(take, "loudness")->raw_len, js_get(take, "loudness")->raw);
    } else if (code == CLI_OK) {
        (void)printf("recorded %.2f s of voice (%s)\n", js_num(take, "duration_us") / US_PER_S, id);
    }
    return code;
}

int cmd_voice(cli *c)
{
    char video[37];
    char space[64];
    wav sound;
    const char *fault = wav_read(c->args[1], &sound);
    if (fault != NULL) {
        return cli_fail("\"%s\" %s", c->args[1], fault);
    }
    js *take = NULL;
    int code = cli_find(c, "video", c->args[0], video);
    if (code == CLI_OK) {
        space_of(video, space);
        code = record_sound(c, &sound, space, &take);
    }
    wav_free(&sound);
    if (code == CLI_OK) {
        code = keep_voice(c, space, take);
    }
    js_free(take);
    return code == CLI_OK ? cli_settle(c) : code;
}

/* ---- a microphone ---- */

int cmd_microphones(cli *c)
{
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    sl_status st = sl_core_info(c->core, "microphones", &out, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    js *list = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    }
    const js *one = list != NULL && !cli_json(c) ? list->first : NULL;
    for (; one != NULL; one = one->next) {
        (void)printf("%s\n", one->string);
    }
    js_free(list);
    sl_bytes_release(out);
    return CLI_OK;
}

static void show_meter(const sl_recorder *r)
{
    float peak = 0.0F;
    char bar[METER_WIDTH + 1];
    sl_recorder_meter(r, &peak, NULL);
    int n = (int)(peak * METER_WIDTH);
    for (int i = 0; i < METER_WIDTH; i++) {
        bar[i] = i < n ? '#' : '.';
    }
    bar[METER_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%7.1f s  %s", (double)sl_recorder_position(r) / US_PER_S, bar);
}

/* When the microphone goes, the machine's own choice takes its place, or the recording ends. */
static bool replace_microphone(sl_recorder *r)
{
    sl_error *err = NULL;
    (void)fprintf(stderr, "%s\n", "sideline: the microphone is gone");
    sl_status st = sl_recorder_capture(r, "", &err);
    if (st == SL_OK) {
        st = sl_recorder_command(r, SL_RECORDER_RECORD, &err);
    }
    sl_error_release(err);
    return st == SL_OK;
}

/* Until Ctrl-C, the time given, or the microphone is gone for good. */
static int record_microphone(const cli *c, sl_recorder *r, double seconds)
{
    const char *name = c->option[OPT_DEVICE] != NULL ? c->option[OPT_DEVICE] : "";
    sl_error *err = NULL;
    sl_status st = sl_recorder_capture(r, name, &err);
    if (st == SL_OK) {
        st = sl_recorder_command(r, SL_RECORDER_RECORD, &err);
    }
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    int64_t end_us = seconds > 0 ? (int64_t)(seconds * US_PER_S) : INT64_MAX;
    bool there = true;
    while (there && !cli_interrupted() && sl_recorder_position(r) < end_us) {
        cli_sleep_ms(LOOK_MS);
        if (!cli_json(c)) {
            show_meter(r);
        }
        there = sl_recorder_microphone(r) == SL_OK || replace_microphone(r);
    }
    if (!cli_json(c)) {
        (void)fprintf(stderr, "\n");
    }
    return CLI_OK;
}

int cmd_record(cli *c)
{
    char video[37];
    char space[64];
    double seconds = 0.0;
    js *take = NULL;
    if (!number(c, OPT_SECONDS, "seconds", SECONDS_MAX, &seconds)) {
        return CLI_FAILED;
    }
    int code = cli_find(c, "video", c->args[0], video);
    if (code != CLI_OK) {
        return code;
    }
    sl_recorder *r = start_recorder(c, RATE, 1);
    if (r == NULL) {
        return CLI_FAILED;
    }
    space_of(video, space);
    code = record_microphone(c, r, seconds);
    if (code == CLI_OK) {
        code = finish_recorder(r, space, &take);
    }
    sl_recorder_free(r);
    if (code == CLI_OK) {
        code = keep_voice(c, space, take);
    }
    js_free(take);
    return code;
}

/* ---- out again ---- */

static int write_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(p, 1, n, f) == n;
    ok = f != NULL && fclose(f) == 0 && ok;
    return ok ? CLI_OK : cli_fail("the file \"%s\" cannot be written", path);
}

/* Played at a rate into a WAV of 16 bits. */
static int write_wav(const char *path, const sl_bytes *ogg, int32_t rate)
{
    sl_voice *v = NULL;
    sl_error *err = NULL;
    sl_status st = sl_voice_open(sl_bytes_data(ogg), sl_bytes_len(ogg), &v, &err);
    if (st == SL_OK) {
        st = sl_voice_set_rate(v, rate, &err);
    }
    if (st != SL_OK) {
        sl_voice_close(v);
        return cli_error(st, err);
    }
    static float pcm[PIECE];
    text samples = {0};
    uint32_t n = 0;
    while ((n = sl_voice_read(v, pcm, PIECE)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            float x = pcm[i] < -1.0F ? -1.0F : pcm[i] > 1.0F ? 1.0F : pcm[i];
            int16_t word = (int16_t)(x * 32767.0F);
            char bytes[2] = {(char)(word & 0xff), (char)((word >> 8) & 0xff)};
            text_put(&samples, bytes, sizeof bytes);
        }
    }
    sl_voice_close(v);
    text file = {0};
    wav_head(&file, RATE, (uint32_t)samples.len);
    text_put(&file, samples.data != NULL ? samples.data : "", samples.len);
    int code = write_file(path, file.data, file.len);
    text_free(&samples);
    text_free(&file);
    return code;
}

static int write_voice(const cli *c, const sl_bytes *ogg, const char *path, int32_t rate)
{
    static const struct {
        const char *ending;
        int32_t container;
    } kinds[] = {{".mp4", SL_VOICE_MP4}, {".m4a", SL_VOICE_MP4}, {".caf", SL_VOICE_CAF}};
    const char *ending = strrchr(path, '.');
    if (ending != NULL && strcmp(ending, ".wav") == 0) {
        return write_wav(path, ogg, rate);
    }
    if (c->option[OPT_RATE] != NULL) {
        return cli_fail("only a .wav can have another --rate");
    }
    for (size_t i = 0; ending != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(ending, kinds[i].ending) == 0) {
            sl_bytes *made = NULL;
            sl_error *err = NULL;
            sl_status st = sl_voice_repack(sl_bytes_data(ogg), sl_bytes_len(ogg),
                                           kinds[i].container, &made, &err);
            int code = st == SL_OK ? write_file(path, sl_bytes_data(made), sl_bytes_len(made))
                                   : cli_error(st, err);
            sl_bytes_release(made);
            return code;
        }
    }
    return write_file(path, sl_bytes_data(ogg), sl_bytes_len(ogg));
}

/* The voice's file, whole or a stretch of it; NULL after saying why. */
static sl_bytes *get_voice(cli *c, const char *id, double from, double to)
{
    sl_error *err = NULL;
    sl_bytes *whole = NULL;
    sl_bytes *part = NULL;
    js *record = cli_record(c, "voice_over", id);
    if (record == NULL) {
        return NULL;
    }
    sl_status st = sl_blob_get(c->core, js_str(record, "blob"), &whole, &err);
    js_free(record);
    if (st == SL_OK && (c->option[OPT_FROM] != NULL || c->option[OPT_TO] != NULL)) {
        st = sl_voice_cut(sl_bytes_data(whole), sl_bytes_len(whole), (int64_t)(from * US_PER_S),
                          c->option[OPT_TO] != NULL ? (int64_t)(to * US_PER_S) : -1, &part, &err);
        sl_bytes_release(whole);
        whole = part;
    }
    if (st != SL_OK) {
        (void)cli_error(st, err);
        return NULL;
    }
    return whole;
}

int cmd_take(cli *c)
{
    char id[37];
    double from = 0.0;
    double to = 0.0;
    double rate = 1.0;
    if (!number(c, OPT_FROM, "from", SECONDS_MAX, &from) ||
        !number(c, OPT_TO, "to", SECONDS_MAX, &to) || !number(c, OPT_RATE, "rate", 2.0, &rate)) {
        return CLI_FAILED;
    }
    int code = cli_find(c, "voice_over", c->args[0], id);
    if (code != CLI_OK) {
        return code;
    }
    sl_bytes *ogg = get_voice(c, id, from, to);
    if (ogg == NULL) {
        return CLI_FAILED;
    }
    code = write_voice(c, ogg, c->args[1], (int32_t)(rate * SL_VOICE_RATE_ONE + 0.5));
    sl_bytes_release(ogg);
    return code;
}

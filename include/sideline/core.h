/*
 * sideline/core.h - opening a core, its events, its operations, its session.
 *
 * A core owns one data folder and one signed-in user. Local calls are synchronous
 * and thread-safe. A call that waits for the network or for media work returns an
 * operation id at once, and
 *   [OP-1] exactly one event {"ev":"op","op":id,...} ends it, cancelled or not;
 *   [OP-2] if the call that would start it fails, no event comes.
 * Closing the core ends every operation; its events are then gone with it.
 *
 * Events are a queue that the host polls, a JSON array per call:
 *   {"ev":"op","op":9,"ok":true,"res":{...}}
 *   {"ev":"op","op":9,"ok":false,"code":-13,"message":"...","field":".."?}
 *   {"ev":"progress","op":9,"done":n,"total":n}     only the newest of each op is kept
 *   {"ev":"rows","sub":3}                           a live query has a difference to take
 *   {"ev":"sync","state":"offline|connecting|online"}
 *   {"ev":"rejected","entity":"..","id":"..","code":"..","message":"..","fields":{...},
 *    "draft":n}                                   kept as a draft: sl_drafts
 *   {"ev":"upload_failed","sha256":"..","space":"..","code":"..","message":".."}
 *                                                   given up for good; the blob stays on this device
 *   {"ev":"stage","op":9,"stage":"sent|accepted"}   of sl_sync_wait
 *   {"ev":"transfer","sha256","space"?,"download","done","total"?,"why"?}   of blobs, once asked for
 *   {"ev":"status"}                                 sl_core_info "status" has changed, once asked for
 *   {"ev":"integrity","space":"..","healed":true|false}
 *                                                   what is held of a space was not what the server has,
 *                                                   by their sums; healed: it is dropped, but for own
 *                                                   changes that wait, and read again. At most once an
 *                                                   hour: else it is left as it is, and only told
 *   {"ev":"session","state":"signed_in|signed_out"}
 *   {"ev":"typing","space":"..","user":"..","on":true|false}    at most one of each waits; the last holds
 *   {"ev":"presence","user":"..","online":true|false}           likewise: sl_chat_presence
 *   {"ev":"stroke","space":"..","user":"..","stroke":"..","do":"begin|points|end|cancel",..}
 *                                                   somebody draws: sl_stroke_live
 * Events carry ids and small facts, never handles. Unknown kinds are to be ignored.
 *
 * The wake callback runs on the empty-to-non-empty edge, on any thread, and may
 * only signal: it must not call the core.
 *   [WAKE-1] after sl_core_set_wake or sl_core_close returns, no wake runs.
 */
#ifndef SIDELINE_CORE_H
#define SIDELINE_CORE_H

#include "base.h"
#include "platform.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

enum {
    SL_CORE_STEPPED = 1, /* no thread: the host drives the core with sl_core_step */
    SL_CORE_PLAIN = 2    /* the live channel speaks JSON, for reading along */
};

/* Wraps the key of a data folder as the host's keychain does: what seal made, unseal turns back on
 * this device. Called while a core is opened, and by sl_core_rekey; copied, `user` is borrowed for
 * the call. */
typedef struct sl_keychain {
    uint32_t struct_size; /* sizeof(sl_keychain) */
    uint32_t reserved;
    void *SL_NULLABLE user;
    /* n bytes at p; *out_n: the room at out, then how much of it was used. SL_OK; SL_E_DENIED when
     * the device's owner says no or the key is gone; SL_E_LIMIT when there is not room enough. */
    sl_status (*seal)(void *SL_NULLABLE user, const uint8_t *p, size_t n, uint8_t *out,
                      size_t *out_n);
    sl_status (*unseal)(void *SL_NULLABLE user, const uint8_t *p, size_t n, uint8_t *out,
                        size_t *out_n);
} sl_keychain;

typedef struct sl_config {
    uint32_t struct_size; /* sizeof(sl_config) */
    uint32_t flags;
    const char *dir;                         /* data folder, made when absent; copied */
    const char *SL_NULLABLE server;          /* "http://host:port"; NULL: the one stored */
    const sl_platform *SL_NULLABLE platform; /* copied; NULL: built in */
    /* With one of the two the folder is sealed: the database with AES-256-XTS, files with
     * AES-256-GCM, under a random key that the folder keeps wrapped. A folder made without is sealed
     * when it is first opened with one; once sealed it never opens without.
     * key: 32 bytes of the host's, which wrap with AES-256-GCM. Copied. */
    const uint8_t *SL_NULLABLE key;
    const sl_keychain *SL_NULLABLE keychain; /* wraps instead of `key`. Borrowed for the call */
    /* So many of the newest messages of a thread come by themselves, older ones when they are asked for
     * (sl_chat_load); after a long time offline too. 0: 100; -1: all of them. */
    int32_t thread_window;
    uint32_t reserved;
} sl_config;

typedef void (*sl_wake_fn)(void *SL_NULLABLE ctx);

/* SL_E_BUSY: another process has this folder. SL_E_TOO_NEW, SL_E_CORRUPT: the database.
 * SL_E_DENIED: the folder is sealed and the key is missing or another. A session that cannot be read
 * is dropped: the core opens signed out and says so by an event; the data stays. The folder's lock is held
 * until the core is closed: where a system ends suspended apps that hold one (iOS, folders of an app group),
 * close it when the app leaves the screen and open it when it comes back. */
SL_API sl_status sl_core_open(const sl_config *cfg, sl_core *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Joins the core's threads. NULL is accepted. */
SL_API void sl_core_close(sl_core *SL_NULLABLE core);

/* Wraps the key of an open, sealed folder anew: exactly one of key (32 bytes) and keychain, which
 * opens it from now on. Nothing else is written again, so this takes no time.
 * SL_E_MISUSE: the folder is not sealed. */
SL_API sl_status sl_core_rekey(sl_core *core, const uint8_t *SL_NULLABLE key,
                               const sl_keychain *SL_NULLABLE keychain,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Destroys what a closed folder holds: first its key, after which nothing in it can be read, then
 * all files. cfg: dir and platform; the rest is not looked at. When this is cut short the next
 * opening ends it: the folder then opens empty. Where the platform cannot list folders, files and
 * drafts stay behind, unreadable if the folder was sealed. SL_E_BUSY: the folder is open. */
SL_API sl_status sl_core_wipe(const sl_config *cfg, sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_API void sl_core_set_wake(sl_core *core, sl_wake_fn SL_NULLABLE fn, void *SL_NULLABLE ctx);
/* Takes queued events as one JSON array of at most about max_bytes; *out is NULL when
 * there are none. Loop until then. One poller at a time, else SL_E_BUSY. */
SL_API sl_status sl_core_poll(sl_core *core, uint32_t max_bytes,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Blocks until there are events. 1 events, 0 timeout, -1 interrupted. Not when stepped. */
SL_API int32_t sl_core_wait(sl_core *core, int32_t timeout_ms);
SL_API void sl_core_interrupt(sl_core *core);
/* Stepped cores: does what is due; returns ms until the next deadline, -1 for none. */
SL_API int32_t sl_core_step(sl_core *core);

/* JSON facts. what: "session" {"device","server"?} and, when
 * signed in, {"user","email","name","role"}; "sync"
 * {"state","outbox","rejected","uploads","downloads","spaces","integrity"} (integrity: how many
 * "integrity" events there were since the core was opened), "build" {"version","media",...},
 * "status", what an app can show of sync, costs no more when much waits:
 *   {"state":"offline|connecting|online","reason"?,"retry_ms"?,"waiting","sending","rejected",
 *    "uploads","upload_bytes","spaces":[{"space","state","cursor","waiting","rejected","uploads",
 *    "upload_bytes","as_of"}]}
 *   reason: why there is no connection: signed_out, stopped, no_transport, unreachable, portal or throttled
 *   (as the last answer to a request was, see "transfers"), mfa_required (the account needs an authenticator,
 *   see sl_account_do), or replaced (by another folder that says it is this device); retry_ms: until the next
 *   try. waiting: operations not accepted yet, sending: those of them that are under way. state of a space:
 *   up_to_date; waiting: at the head, but own changes or files are not with the server yet; behind: catching up; blocked: there
 *   is no connection. as_of: Unix time in ms when it was last known to be at the head, 0 never.
 *   Once asked, {"ev":"status"} tells when the answer has changed, at most four times a second.
 * "transfers" [{"sha256","space"?,"download","done","total"?,"state","why"?}]: blobs on their way; state:
 *   running, waiting for its turn, paused, or metered: waiting for another network. why: it does not get on
 *   and is tried again: unreachable; portal (somebody on the way answers in the server's place, as a hotel's
 *   sign-in page does); throttled (the server asks to wait); auth (the session is being renewed); denied;
 *   not_found (the space, or the blob, is not there yet); damaged. Once asked, "transfer" events tell how
 *   far each is, at most ten times a second,
 * "undo" [{"space","undo","redo"}]: how many steps sl_undo and sl_redo have,
 * "recordings" [{"path","duration_us","note"?}]: voices whose recorder was killed, found when the core was
 * opened, or ended by a full disk, or freed with a note and not finished, now whole Ogg Opus files; offered until
 * sl_recording_remove, or until the host has removed the file. In a sealed folder only sl_recording_read reads them,
 * "microphones" [name]: what sl_recorder_capture takes, as it is now. */
SL_API sl_status sl_core_info(sl_core *core, const char *what,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_op_cancel(sl_core *core, sl_id op);

/* json: {"email","password","name","role":"athlete"|"coach","birth_date":"2001-12-31"}. Signs in as well.
 * res: session. SL_E_DENIED: the account of a child waits for a parent. */
SL_API sl_status sl_session_signup(sl_core *core, const char *json, size_t n, sl_id *op,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);
/* json: {"email","password","code"?}, code: of the authenticator, or a recovery code. The session is kept
 * in the data folder and restored at open. SL_E_AUTH: wrong e-mail, password or code. SL_E_DENIED: a code
 * is needed (the event's field is "code"), or the account is closed. SL_E_CONFLICT: the folder belongs to
 * another user. */
SL_API sl_status sl_session_login(sl_core *core, const char *json, size_t n, sl_id *op,
                                  sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Forgets the session's tokens. Data stays until the same user signs in again. Signing in or up that
 * is under way ends with SL_E_CANCELLED. */
SL_API sl_status sl_session_logout(sl_core *core, sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Signing in with another provider (OpenID Connect). First sl_account_do {"do":"oidc","redirect_uri":".."}
 * gives {"url","state","nonce","verifier","issuer","redirect_uri"}: the host opens the page at url, and
 * when the provider comes back to redirect_uri gives all of that here, with "redirect", the whole address
 * that came back. SL_E_DENIED: it is not the answer to this question, or the provider refused. With
 * the event's field "code": the account has an authenticator; with "birth_date": it is new. Then this is
 * called again with {"code"} or {"birth_date"} alone, within ten minutes: the provider need not be asked
 * again. */
SL_API sl_status sl_session_oidc(sl_core *core, const char *json, size_t n, sl_id *op,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Something about the account, at the server. json: {"do":..} and what goes with it:
 *   "verify" token           proves the e-mail address by the token of a mail; "verify_mail" sends it anew
 *   "reset_mail" email       sends a mail by which a new password can be set: "reset" token, password
 *   "totp"                   res {"secret","uri"}: for an authenticator; in force with
 *   "totp_confirm" code      res {"recovery_codes":[..]}, shown once; "recovery" makes new ones
 *   "devices"                res {"devices":[{"device","name"?,"platform"?,"since_ms","seen_ms","this"}]}
 *   "device_end" device      signs one of them out
 *   "logout_all"             signs all out, this one too
 *   "erase" password         erases the account at the server for good, and signs out
 *   "oidc" redirect_uri      see sl_session_oidc
 *   "playback" video         res {"url","expires_ms"}: where a player that sends no token finds the video as a
 *                            stream (HLS), below the server's address, and until when
 *   "organisation" organisation  res {"id","days":30,"members":[{"id","user","name","role","messages",
 *                            "conversations","reviews","athletes"}]}: what its coaches did in these days, counted,
 *                            for whoever may patch the organisation
 * All but verify, reset, reset_mail and oidc need somebody signed in: else SL_E_AUTH. */
SL_API sl_status sl_account_do(sl_core *core, const char *json, size_t n, sl_id *op,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Whether the signed-in user may do something, by what this device knows, without a connection: to grey
 * out what cannot be done. The server asks the same policy and its word holds.
 * json: {"do":"read"|"watch"|"create"|"patch"|"delete","entity":"..","id":".."?,"space":"kind:id"?}, with the
 * id of a record that is here, or else the space; or {"feature":"analytics_own"|..}, a name of
 * src/schema/policy.toml. "watch" is to read, and to see or hear the files: those of what is somebody else's
 * (relation student or given) are shown for 7 days after the space was last at the head ("as_of" of "status"),
 * by a clock that is never less than it was seen to be. After that sl_blob_get, viewers and exports of them
 * fail with SL_E_DENIED until the space is at the head again; records stay readable, as does all that is
 * one's own.
 * *out: {"allow":bool,"standing":"guest|athlete_free|athlete_paid|coach_basic|coach_trial|coach_premium|
 * admin","relation":"own|student|given|direct|peer|public|stranger|lead"?,
 * "limits":{"messages_day":n?,"students":n?}}. */
SL_API sl_status sl_can(sl_core *core, const char *json, size_t n,
                        sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                        sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif

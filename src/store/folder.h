/*
 * store/folder.h - what happens to a data folder as a whole: it is sealed, or wiped. Each survives
 * being cut short: a marker file is there as long as it lasts, and opening the folder goes on.
 *
 * Called by the owner of the folder's lock, with the database closed.
 */
#ifndef SL_STORE_FOLDER_H
#define SL_STORE_FOLDER_H

#include "store/keyfile.h"

/* Ends a wipe that was cut short, opens or makes the key, and seals what is still in the clear.
 * *out: NULL when the folder is in the clear. SL_E_UNSUPPORTED: a folder in the clear cannot be
 * sealed, because the platform lists none. */
sl_status sl_folder_prepare(const sl_platform *p, const char *dir, const sl_keys *keys,
                            sl_seal **out, sl_error **err);

/* Destroys the key, then all files but the lock. */
sl_status sl_folder_wipe(const sl_platform *p, const char *dir, sl_error **err);

/* The session as it was sealed before there were sealed folders: "sealed:" and base64 of nonce, text
 * and tag. True when this is one. */
bool sl_folder_old_session(const char *stored);
/* Its text; sl_mem. SL_E_DENIED: another key, or none. */
sl_status sl_folder_open_session(const uint8_t *key, const char *stored, char **out,
                                 sl_error **err);

#endif

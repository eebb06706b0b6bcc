/* media/cmaf_write.h - writing what media/cmaf.h describes. Inside this folder. */
#ifndef SL_MEDIA_CMAF_WRITE_H
#define SL_MEDIA_CMAF_WRITE_H

#include "media/cmaf.h"

#include <libavcodec/avcodec.h>

typedef struct sl_cmaf sl_cmaf;

typedef struct sl_cmaf_stream {
    const AVCodecParameters *parameters; /* NULL: there is no such stream */
    AVRational time_base;                /* of its packets */
} sl_cmaf_stream;

/* rotation: how players are to turn the picture, as sl_clip_rotation has it. */
sl_status sl_cmaf_open(const char *path, sl_cmaf_stream video, int32_t rotation,
                       sl_cmaf_stream sound, sl_cmaf **out, sl_error **err);
/* Packets of each stream in decoding order; what they hold is taken. */
sl_status sl_cmaf_video(sl_cmaf *c, AVPacket *packet, sl_error **err);
sl_status sl_cmaf_sound(sl_cmaf *c, AVPacket *packet, sl_error **err);
/* Writes what is held back and tells where the parts are. */
sl_status sl_cmaf_finish(sl_cmaf *c, sl_cmaf_index *out, sl_error **err);
void sl_cmaf_close(sl_cmaf *c);

#endif

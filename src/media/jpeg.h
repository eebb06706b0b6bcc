/* media/jpeg.h - pictures as JPEG and back. Inside this folder. */
#ifndef SL_MEDIA_JPEG_H
#define SL_MEDIA_JPEG_H

#include "base/buf.h"
#include "base/error.h"

#include <libavutil/frame.h>

typedef struct sl_jpeg sl_jpeg;
/* SL_E_UNSUPPORTED: this build of FFmpeg writes none. */
sl_status sl_jpeg_open(int32_t width, int32_t height, sl_jpeg **out, sl_error **err);
void sl_jpeg_close(sl_jpeg *j);
/* YUV 4:2:0 of the whole range. Appends. */
sl_status sl_jpeg_write(sl_jpeg *j, AVFrame *picture, sl_buf *out, sl_error **err);

typedef struct sl_unjpeg sl_unjpeg;
sl_status sl_unjpeg_open(sl_unjpeg **out, sl_error **err);
void sl_unjpeg_close(sl_unjpeg *u);
/* *out is borrowed until the next call. */
sl_status sl_unjpeg_read(sl_unjpeg *u, const uint8_t *p, size_t n, const AVFrame **out,
                         sl_error **err);

#endif

/* read.h - what the tests of imported files share. */
#ifndef SL_TESTS_UNIT_EXCHANGE_READ_H
#define SL_TESTS_UNIT_EXCHANGE_READ_H

#include "base/error.h"
#include "exchange/exchange.h"
#include "support.h"

#include <math.h>
#include <string.h>

#define KVA_HEAD                                                                                         \
    "<KinoveaVideoAnalysis><FormatVersion>2.0</FormatVersion><ImageSize>960;540</ImageSize>"             \
    "<AverageTimeStampsPerFrame>1000</AverageTimeStampsPerFrame><CaptureFramerate>50</CaptureFramerate>" \
    "<FirstTimeStamp>5000</FirstTimeStamp>"
#define KVA_KEY(drawings)                                                                     \
    KVA_HEAD                                                                                  \
    "<Keyframes><Keyframe><Position UserTime='0:00:01:00'>55000</Position><Title>top</Title>" \
    "<Drawings>" drawings "</Drawings></Keyframe></Keyframes></KinoveaVideoAnalysis>"

static inline sl_import import_of(void)
{
    sl_import im = {.frame_w = 1920, .frame_h = 1080, .t_in = 1000, .t_out = 2000};
    return im;
}

static inline sl_import read_ok(sl_format format, const char *text)
{
    sl_import im = import_of();
    sl_error *err = NULL;
    sl_status s = sl_import_read(&im, format, text, strlen(text), &err);
    ck_assert_msg(s == SL_OK, "%s: %s", text, sl_error_message(err));
    return im;
}

/* In pixels of 1920 by 1080, within one unit. */
static inline void at(const sl_item *item, uint32_t i, double x, double y)
{
    double k = SL_UNITS / 1920.0;
    ck_assert_uint_lt(i, item->geo.n);
    ck_assert_msg(
        fabs(item->geo.points[i].x - x * k) <= 1 && fabs(item->geo.points[i].y - y * k) <= 1,
        "point %u is at %.2f %.2f", i, item->geo.points[i].x / k, item->geo.points[i].y / k);
}

#endif

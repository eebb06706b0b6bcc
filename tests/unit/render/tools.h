/* render/tools.h - an item of every tool, and pixels to draw on, for the tests beside it. */
#ifndef TESTS_RENDER_TOOLS_H
#define TESTS_RENDER_TOOLS_H

#include "base/mem.h"
#include "render/render.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FRAME_W = 1920,
    FRAME_H = 1080
};

static inline sl_pixels pixels(int32_t w, int32_t h)
{
    sl_pixels p = {sizeof p, w, h, w * 4, NULL};
    p.data = sl_mem((size_t)w * (size_t)h * 4);
    ck_assert_ptr_nonnull(p.data);
    return p;
}

static inline uint32_t pixel(const sl_pixels *p, int32_t x, int32_t y)
{
    uint32_t v = 0;
    memcpy(&v, p->data + (size_t)y * (size_t)p->stride + (size_t)x * 4, 4);
    return v;
}

static inline void fill(const sl_pixels *p, uint32_t v)
{
    for (size_t i = 0; i < (size_t)p->stride / 4 * (size_t)p->height; i++) {
        memcpy(p->data + 4 * i, &v, 4);
    }
}

/* Blue to red across, dark to bright down. */
static inline void gradient(const sl_pixels *p)
{
    for (int32_t y = 0; y < p->height; y++) {
        for (int32_t x = 0; x < p->width; x++) {
            uint32_t red = (uint32_t)(255 * x / p->width);
            uint32_t green = (uint32_t)(255 * y / p->height);
            uint32_t v = 0xFF000000U | red << 16 | green << 8 | (255 - red);
            memcpy(p->data + (size_t)y * (size_t)p->stride + (size_t)x * 4, &v, 4);
        }
    }
}

static inline sl_item *item_of(const char *text)
{
    char copy[1024];
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c != 0; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    sl_json *j = sl_json_parse(copy, strlen(copy));
    sl_item *item = NULL;
    sl_error *err = NULL;
    sl_status s = sl_item_from_json(j, &item, &err);
    ck_assert_msg(s == SL_OK, "%s: %s", text, sl_error_message(err));
    sl_json_free(j);
    return item;
}

/* A loop of a pen with all its columns, n points, drawn in a second. */
static inline sl_item *pen_of(uint32_t n, uint32_t rgb, int32_t width)
{
    sl_item *item = item_of("{'kind':'pen','points':[[0,0]],'in':0,'out':1000}");
    sl_geometry_clear(&item->geo);
    item->geo.n = n;
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    item->geo.pressure = sl_mem(n);
    item->geo.dt_ms = sl_mem_array(n, sizeof *item->geo.dt_ms);
    for (uint32_t i = 0; i < n; i++) {
        double a = 9.0 * i / n;
        item->geo.points[i].x = (int32_t)(8000 + 18000.0 * i / n + 3000 * cos(a));
        item->geo.points[i].y = (int32_t)(9000 + 5000 * sin(2 * a));
        item->geo.pressure[i] = (uint8_t)(127 + 127 * sin(4 * a));
        item->geo.dt_ms[i] = i * 1000 / n;
    }
    item->style.rgb = (int32_t)rgb;
    item->style.width = width;
    ck_assert_int_eq(sl_item_check(item, NULL), SL_OK);
    return item;
}

static const char *const TOOLS[] = {
    "{'kind':'arrow','points':[[4000,4000],[24000,14000]],'style':{'color':'#FF3B30','width':400},"
    "'in':0,'out':1000}",
    "{'kind':'line','points':[[4000,14000],[26000,5000]],'style':{'color':'#0000FF','width':300},"
    "'in':0,'out':1000}",
    "{'kind':'rect','points':[[26000,14000],[6000,4000]],'style':{'color':'#34C759','width':300},"
    "'in':0,'out':1000}",
    "{'kind':'ellipse','points':[[5000,3000],[27000,15000]],'style':{'color':'#FFD400','width':600,"
    "'opacity':0.6},'in':0,'out':1000}",
    "{'kind':'angle','points':[[24000,15000],[5000,13000],[20000,3000]],'style':{'color':'#00E5FF',"
    "'width':250,'font_size':2400},'in':0,'out':1000}",
    "{'kind':'text','points':[[4000,4000]],'text':'Elbow\\nhigher','style':{'color':'#FFFFFF',"
    "'font_size':4000},'in':0,'out':1000}",
    "{'kind':'polyline','points':[[4000,4000],[12000,14000],[20000,5000],[28000,13000]],'style':{"
    "'color':'#FF2D92','width':300,'dash':'dashes'},'in':0,'out':1000}",
    "{'kind':'polygon','points':[[6000,14000],[16000,3000],[26000,14000]],'style':{'color':"
    "'#34C759','width':300,'fill':'#34C759'},'in':0,'out':1000}",
    "{'kind':'curve','points':[[5000,14000],[16000,-2000],[27000,13000]],'style':{'color':'#FF3B30'"
    ",'width':400,'heads':2},'in':0,'out':1000}",
    "{'kind':'callout','points':[[9000,3000],[22000,14000]],'text':'Hip first','style':{'color':"
    "'#FFFFFF','width':200,'font_size':2600,'fill':'#0A5CFF'},'in':0,'out':1000}",
    "{'kind':'protractor','points':[[16000,9200],[22000,4500]],'style':{'color':'#FFD400','width':"
    "200,'font_size':1600,'vertical':true},'in':0,'out':1000}",
    "{'kind':'ruler','points':[[4000,13000],[28000,7000]],'style':{'color':'#FFFFFF','width':250,"
    "'font_size':1800,'length':1.83,'unit':'m'},'in':0,'out':1000}",
    "{'kind':'path','points':[[3000,14000],[9000,8000],[16000,5500],[24000,7000],[29000,12000]],"
    "'dt':[0,100,200,300,400],'style':{'color':'#00E5FF','width':250,'font_size':1500},'in':0,"
    "'out':1000000}",
    "{'kind':'stopwatch','points':[[16000,9000]],'style':{'color':'#FFFFFF','font_size':3500},'in':"
    "0,'out':1000000}",
    "{'kind':'counter','points':[[16000,9000]],'style':{'color':'#FFD400','font_size':4000,'value':"
    "42},'in':0,'out':1000}",
    "{'kind':'marker','points':[[16000,9000]],'style':{'color':'#FF3B30','font_size':3000,'value':7"
    "},'in':0,'out':1000}",
    "{'kind':'grid','points':[[4000,3000],[28000,15000]],'style':{'color':'#FFFFFF','width':120,"
    "'rows':3,'cols':6},'in':0,'out':1000}",
    "{'kind':'perspective','points':[[12000,4000],[20000,4000],[29000,15000],[3000,15000]],'style':"
    "{'color':'#FFD400','width':150,'rows':5,'cols':4},'in':0,'out':1000}",
    "{'kind':'spotlight','points':[[9000,2000],[24000,16000]],'in':0,'out':1000}",
    "{'kind':'magnifier','points':[[9000,9000],[15000,9000],[24000,9000]],'style':{'color':"
    "'#FFFFFF','width':300,'zoom':3},'in':0,'out':1000}",
    "{'kind':'figure','points':[[16000,2500],[16000,4500],[14000,5000],[12000,7500],[13500,9500],"
    "[18000,5000],[20500,7000],[23500,5500],[15000,9500],[14000,12500],[11500,15500],[17000,9500],"
    "[18500,12500],[18000,16000]],'style':{'color':'#00E5FF','width':220,'font_size':1800},'in':0,"
    "'out':1000}",
    "{'kind':'stamp','points':[[9000,4000],[23000,14000]],'blob':"
    "'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff','in':0,'out':1000}",
    "{'kind':'blur','points':[[10000,4000],[22000,14000]],'in':0,'out':1000}",
    "{'kind':'highlighter','points':[[4000,9000],[12000,8000],[20000,10000],[28000,9000]],'style':{"
    "'color':'#FFD400','width':2500},'in':0,'out':1000}",
};

enum {
    TOOL_COUNT = sizeof TOOLS / sizeof TOOLS[0] + 1
};

static inline sl_item *tool(size_t i)
{
    return i < TOOL_COUNT - 1 ? item_of(TOOLS[i]) : pen_of(120, 0xFF9500, 900);
}

/* Two by two pixels, for a stamp. */
static inline const sl_pixels *stamp_picture(void *user, const char *blob)
{
    ck_assert_uint_eq(strlen(blob), 64);
    return user;
}

#endif

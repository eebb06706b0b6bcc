/*
 * annotation/tool.h - the tools, one row each.
 *
 * A row says what an item of the kind is made of and how its points make a shape; reading,
 * checking, encoding, hit test, handles and bounds follow from it. A new tool of a known form is
 * one row here; one with a form of its own also draws itself (render/tools.c).
 */
#ifndef SL_ANNOTATION_TOOL_H
#define SL_ANNOTATION_TOOL_H

#include "annotation/item.h"

enum {
    SL_HAS_PRESSURE = 1,
    SL_HAS_DT = 2,
    SL_HAS_TEXT = 4,
    SL_HAS_TILT = 8
};

/* How the points make a shape. */
typedef enum sl_form {
    SL_FORM_STROKE, /* a line of varying width through them */
    SL_FORM_LINE,   /* straight from one to the next */
    SL_FORM_LOOP,   /* ... and back to the first */
    SL_FORM_CURVE,  /* from the first to the third, drawn towards the second */
    SL_FORM_BOX,    /* a box by opposite corners */
    SL_FORM_OVAL,   /* the ellipse within that box */
    SL_FORM_AREA,   /* a box that counts inside too */
    SL_FORM_TEXT,   /* a text from its top left */
    SL_FORM_MARK,   /* a sign as large as the font, centred on its point */
    SL_FORM_LENS,   /* centre, edge and the centre of what it looks at */
    SL_FORM_FIGURE, /* the joints of a body, see SL_JOINTS */
    SL_FORM_HIDDEN  /* says something of a time and has no ink */
} sl_form;

typedef struct sl_tool {
    const char *name;
    sl_form form;
    uint32_t points_min;
    uint32_t points_max;
    uint8_t may;          /* columns it may have, SL_HAS_ */
    uint8_t must;         /* ... and those without which it makes no sense */
    const char *text_key; /* what its text is called in JSON, NULL when it has none */
    bool live_only;       /* shown while it is drawn, never kept */
    uint8_t pad_widths;   /* ink around the points: halves of the line's width */
    uint8_t pad_fonts;    /* ... and of the font's size */
} sl_tool;

/* The row of a kind below SL_KIND_COUNT. */
const sl_tool *sl_tool_of(sl_kind kind);

/* A figure's joints, in the order of its points. */
enum {
    SL_JOINT_HEAD,
    SL_JOINT_NECK,
    SL_JOINT_SHOULDER_L,
    SL_JOINT_ELBOW_L,
    SL_JOINT_WRIST_L,
    SL_JOINT_SHOULDER_R,
    SL_JOINT_ELBOW_R,
    SL_JOINT_WRIST_R,
    SL_JOINT_HIP_L,
    SL_JOINT_KNEE_L,
    SL_JOINT_ANKLE_L,
    SL_JOINT_HIP_R,
    SL_JOINT_KNEE_R,
    SL_JOINT_ANKLE_R,
    SL_JOINTS
};

enum {
    SL_BONES = 14,
    SL_BENDS = 8
};

extern const char *const sl_joint_names[SL_JOINTS];
extern const uint8_t sl_bones[SL_BONES][2];
extern const uint8_t sl_bends[SL_BENDS][3]; /* the angles of a figure: arm, vertex, arm */

#endif

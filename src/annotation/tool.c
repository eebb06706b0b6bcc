#include "annotation/tool.h"

enum {
    STROKE = SL_HAS_PRESSURE | SL_HAS_DT | SL_HAS_TILT,
    MANY = SL_PEN_POINTS_MAX,
    FEW = SL_SHAPE_POINTS_MAX
};

/* In the order of sl_kind, which is that of the encoding: rows are added at the end. */
static const sl_tool TOOLS[SL_KIND_COUNT] = {
    {"pen", SL_FORM_STROKE, 1, MANY, STROKE, 0, NULL, false, 1, 0},
    {"arrow", SL_FORM_LINE, 2, 2, 0, 0, NULL, false, 4, 0},
    {"line", SL_FORM_LINE, 2, 2, 0, 0, NULL, false, 1, 0},
    {"rect", SL_FORM_BOX, 2, 2, 0, 0, NULL, false, 1, 0},
    {"ellipse", SL_FORM_OVAL, 2, 2, 0, 0, NULL, false, 1, 0},
    {"angle", SL_FORM_LINE, 2, 3, 0, 0, NULL, false, 1, 0},
    {"text", SL_FORM_TEXT, 1, 1, SL_HAS_TEXT, SL_HAS_TEXT, "text", false, 1, 0},
    {"highlighter", SL_FORM_STROKE, 1, MANY, STROKE, 0, NULL, false, 1, 0},
    {"polyline", SL_FORM_LINE, 2, FEW, 0, 0, NULL, false, 1, 0},
    {"polygon", SL_FORM_LOOP, 3, FEW, 0, 0, NULL, false, 1, 0},
    {"curve", SL_FORM_CURVE, 3, 3, 0, 0, NULL, false, 4, 0},
    {"callout", SL_FORM_TEXT, 2, 2, SL_HAS_TEXT, SL_HAS_TEXT, "text", false, 1, 0},
    {"protractor", SL_FORM_LINE, 2, 2, 0, 0, NULL, false, 1, 0},
    {"ruler", SL_FORM_LINE, 2, 2, 0, 0, NULL, false, 1, 0},
    {"path", SL_FORM_LINE, 1, FEW, SL_HAS_DT, SL_HAS_DT, NULL, false, 1, 0},
    {"stopwatch", SL_FORM_MARK, 1, 1, 0, 0, NULL, false, 1, 6},
    {"counter", SL_FORM_MARK, 1, 1, 0, 0, NULL, false, 1, 6},
    {"marker", SL_FORM_MARK, 1, 1, 0, 0, NULL, false, 1, 2},
    {"grid", SL_FORM_BOX, 2, 2, 0, 0, NULL, false, 1, 0},
    {"perspective", SL_FORM_LOOP, 4, 4, 0, 0, NULL, false, 1, 0},
    {"spotlight", SL_FORM_OVAL, 2, 2, 0, 0, NULL, false, 1, 0},
    {"magnifier", SL_FORM_LENS, 3, 3, 0, 0, NULL, false, 1, 0},
    {"figure", SL_FORM_FIGURE, SL_JOINTS, SL_JOINTS, 0, 0, NULL, false, 1, 1},
    {"stamp", SL_FORM_AREA, 2, 2, SL_HAS_TEXT, SL_HAS_TEXT, "blob", false, 1, 0},
    {"blur", SL_FORM_AREA, 2, 2, 0, 0, NULL, false, 1, 0},
    {"freeze", SL_FORM_HIDDEN, 1, 1, 0, 0, NULL, false, 1, 0},
    {"bookmark", SL_FORM_HIDDEN, 1, 1, SL_HAS_TEXT, 0, "text", false, 1, 0},
    {"layer", SL_FORM_HIDDEN, 1, 1, SL_HAS_TEXT, SL_HAS_TEXT, "text", false, 1, 0},
    {"laser", SL_FORM_STROKE, 1, MANY, STROKE, 0, NULL, true, 1, 0},
};

const sl_tool *sl_tool_of(sl_kind kind)
{
    return &TOOLS[(unsigned)kind < SL_KIND_COUNT ? kind : SL_KIND_PEN];
}

const char *const sl_joint_names[SL_JOINTS] = {
    "head",    "neck",  "shoulder_l", "elbow_l", "wrist_l", "shoulder_r", "elbow_r",
    "wrist_r", "hip_l", "knee_l",     "ankle_l", "hip_r",   "knee_r",     "ankle_r",
};

const uint8_t sl_bones[SL_BONES][2] = {
    {SL_JOINT_HEAD, SL_JOINT_NECK},          {SL_JOINT_NECK, SL_JOINT_SHOULDER_L},
    {SL_JOINT_SHOULDER_L, SL_JOINT_ELBOW_L}, {SL_JOINT_ELBOW_L, SL_JOINT_WRIST_L},
    {SL_JOINT_NECK, SL_JOINT_SHOULDER_R},    {SL_JOINT_SHOULDER_R, SL_JOINT_ELBOW_R},
    {SL_JOINT_ELBOW_R, SL_JOINT_WRIST_R},    {SL_JOINT_NECK, SL_JOINT_HIP_L},
    {SL_JOINT_HIP_L, SL_JOINT_KNEE_L},       {SL_JOINT_KNEE_L, SL_JOINT_ANKLE_L},
    {SL_JOINT_NECK, SL_JOINT_HIP_R},         {SL_JOINT_HIP_R, SL_JOINT_KNEE_R},
    {SL_JOINT_KNEE_R, SL_JOINT_ANKLE_R},     {SL_JOINT_HIP_L, SL_JOINT_HIP_R},
};

const uint8_t sl_bends[SL_BENDS][3] = {
    {SL_JOINT_SHOULDER_L, SL_JOINT_ELBOW_L, SL_JOINT_WRIST_L},
    {SL_JOINT_SHOULDER_R, SL_JOINT_ELBOW_R, SL_JOINT_WRIST_R},
    {SL_JOINT_HIP_L, SL_JOINT_KNEE_L, SL_JOINT_ANKLE_L},
    {SL_JOINT_HIP_R, SL_JOINT_KNEE_R, SL_JOINT_ANKLE_R},
    {SL_JOINT_NECK, SL_JOINT_SHOULDER_L, SL_JOINT_ELBOW_L},
    {SL_JOINT_NECK, SL_JOINT_SHOULDER_R, SL_JOINT_ELBOW_R},
    {SL_JOINT_NECK, SL_JOINT_HIP_L, SL_JOINT_KNEE_L},
    {SL_JOINT_NECK, SL_JOINT_HIP_R, SL_JOINT_KNEE_R},
};

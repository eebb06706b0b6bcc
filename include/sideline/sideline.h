/* sideline/sideline.h - everything. */
#ifndef SIDELINE_SIDELINE_H
#define SIDELINE_SIDELINE_H

#include "annotation.h"
#include "base.h"
#include "chat.h"
#include "core.h"
#include "media.h"
#include "platform.h"
#include "record.h"
#include "render.h"
#include "review.h"
#include "sync.h"
#include "voice.h"

#endif

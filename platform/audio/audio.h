/*
 * platform/audio/audio.h - the microphones of a desktop, through SDL 2 (PulseAudio, PipeWire, ALSA,
 * CoreAudio, WASAPI). SDL is loaded when somebody first lists or opens one: a program that never
 * records does not need it. Without it every operation answers SL_E_UNSUPPORTED. `user` is not
 * looked at.
 */
#ifndef SL_PLATFORM_AUDIO_H
#define SL_PLATFORM_AUDIO_H

#include "sideline/platform.h"

extern const sl_audio_ops sl_desktop_audio;

#endif

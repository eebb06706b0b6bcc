/*
 * base/plant.h - mistakes planted on purpose, to see that the simulator finds them. Only a build
 * with SL_PLANTS has any: in all others SL_PLANTED is false and nothing of it is left.
 */
#ifndef SL_BASE_PLANT_H
#define SL_BASE_PLANT_H

#include <stdbool.h>

#ifdef SL_PLANTS
/* The one mistake that this process makes; NULL: none. Borrowed. */
void sl_plant(const char *name);
bool sl_planted(const char *name);
#define SL_PLANTED(name) sl_planted(name)
#else
#define SL_PLANTED(name) false
#endif

#endif

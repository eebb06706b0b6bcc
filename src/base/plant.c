#include "base/plant.h"

#include <stddef.h>
#include <string.h>

static const char *g_plant;

void sl_plant(const char *name)
{
    g_plant = name;
}

bool sl_planted(const char *name)
{
    return g_plant != NULL && strcmp(g_plant, name) == 0;
}

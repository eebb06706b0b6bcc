/* A world in one thread has no platform but the one it is given. */
#include "sideline/platform.h"

sl_status sl_platform_builtin(sl_platform *out)
{
    return out != NULL ? SL_E_UNSUPPORTED : SL_E_MISUSE;
}

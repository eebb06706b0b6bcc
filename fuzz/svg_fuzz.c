/* svg_fuzz - a file of another program: exchange/exchange.h. */
#include "fuzz/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_import(SL_FORMAT_SVG, data, size);
    return 0;
}

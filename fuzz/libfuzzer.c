/* In the place of main.c: libFuzzer has a main of its own, which fuzzes or,
 * with files, replays them, and hands out blocks of their exact size, too. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_one(data, len);
    return 0;
}

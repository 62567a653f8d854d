/* The metadata codec: what is accepted encodes to itself. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <svr/metadata.h>

enum {
    BLOCK_MAX = 4095 + 65535,
};

static void check(int holds)
{
    if (!holds)
        abort();
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static uint8_t once[BLOCK_MAX], twice[BLOCK_MAX];
    svr_metadata md, again;

    if (svr_metadata_decode(&md, data, len) < 0 || md.unknown)
        return;
    ptrdiff_t measured = svr_metadata_encode(NULL, 0, &md);
    ptrdiff_t written = svr_metadata_encode(once, sizeof(once), &md);
    check(written > 0 && written == measured);
    check(svr_metadata_decode(&again, once, (size_t)written) == written);
    check(again.present == md.present);
    check(svr_metadata_encode(twice, sizeof(twice), &again) == written);
    check(memcmp(once, twice, (size_t)written) == 0);
}

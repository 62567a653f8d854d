/* script.h - for targets whose input is a script: what each byte does is read
 * as it goes. */
#ifndef SVR_FUZZ_SCRIPT_H
#define SVR_FUZZ_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct script {
    const uint8_t *data;
    size_t len;
};

/* The next byte; 0 behind the end. */
static inline uint8_t take(struct script *s)
{
    if (s->len == 0)
        return 0;
    s->len--;
    return *s->data++;
}

/* A property that must hold, whatever the target was built with. */
static inline void check(int holds)
{
    if (!holds)
        abort();
}

#endif

#include "pace.h"

/* What is fast: 400 frames in 10 ms, of 500 bytes each. The interval is long
 * enough that rests end where they make things slow: with many processes for
 * few processors each rest may cost some milliseconds. */
#define INTERVAL (10 * SVR_MILLISECOND)
#define FAST 400
#define LARGE 500

/* So many at once need no rest. */
#define MANY (SVR_BATCH_MAX / 2)

svr_time pace_rest(struct pace *p, uint64_t frames, uint64_t bytes,
                   svr_time now)
{
    p->frames += frames;
    p->bytes += bytes;
    if (now - p->since >= INTERVAL) {
        uint64_t intervals = (now - p->since) / INTERVAL;

        p->fast =
            p->frames / FAST >= intervals && p->bytes / LARGE >= p->frames;
        p->since = now;
        p->frames = p->bytes = 0;
    }
    return p->fast && frames < MANY ? PACE_REST : 0;
}

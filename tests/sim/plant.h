/*
 * plant.h - mistakes on purpose: what the checks must find.
 *
 * A check that finds nothing when there is something shows nothing. Each of
 * these does what a wrong router would do, or hides what a right one does.
 */
#ifndef SIM_PLANT_H
#define SIM_PLANT_H

#include "buffer.h"

struct world;
struct router;

/* X(NAME, "name", "what happens"). */
#define PLANT_MAP(X)                                                     \
    X(NONE, "none", "nothing")                                           \
    X(LOSE, "lose", "a packet for a host vanishes now and then")         \
    X(DOUBLE, "double", "a packet for a host comes twice now and then")  \
    X(SPOIL, "spoil", "a byte is another one, and the checksum fits")    \
    X(STRAY, "stray", "a packet leaves at another router")               \
    X(RESET, "reset", "a connection is reset")                           \
    X(SILENCE, "silence", "connections stand still after a while")       \
    X(COUNT, "count", "a packet is not counted")                         \
    X(LEAK, "leak", "memory is not given back")                          \
    X(LINGER, "linger", "sessions outlive their time")                   \
    X(UNSIGNED, "unsigned", "packets of bad lines are not signed")       \
    X(CLEAR, "clear", "payloads of an encrypted network are clear")      \
    X(STAYS, "stays", "sessions that should move do not")                \
    X(LOOP, "loop", "a packet goes back to a router that it has passed") \
    X(CHANCE, "chance", "the same seed does not do the same twice")

enum plant {
#define X(name, id, text) PLANT_##name,
    PLANT_MAP(X)
#undef X
        PLANTS
};

extern const char *const plant_names[PLANTS];

/* A packet is about to be given to a host behind r. False: it is not. */
bool plant_deliver(struct world *w, struct router **r, struct buffer *b);
/* A packet is about to be sent to another router. False: it is not, and has
 * been taken. */
bool plant_forward(struct world *w, const struct router *r, struct buffer *b);
/* The same for what is not about packets. */
void plant_router(struct world *w, struct router *r);

#endif

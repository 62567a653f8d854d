/*
 * pathways - two routers watch the pathway between them for four minutes of
 * virtual time. The link takes 20 ms, loses 2 % of what west sends and carries
 * at most 1400 bytes; in the third minute it is cut for 5 s.
 *
 * A real program signs each message, and verifies it before it hands it in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <svr/svr.h>

enum {
    OVERHEAD = 20 + 8 + SVR_BFD_SIZE + 16, /* IPv4, UDP, BFD, tag */
    WIRE = 64,
    LINK_MTU = 1400,
};

struct router {
    const char *name;
    svr_pathway *pathway;
};

/* A message on the link. */
struct flight {
    svr_time at; /* 0: this place is free */
    int to;
    svr_pathway_message m;
};

static struct router routers[2] = {{.name = "west"}, {.name = "east"}};
static struct flight wire[WIRE];
static uint64_t seed = 42;

/* Good enough for an example, and the same each time. */
static uint32_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 32);
}

static void fill(void *user, void *buf, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)(draw() >> 8);
}

static svr_bfd_endpoint endpoint(uint8_t last)
{
    return (svr_bfd_endpoint){
        svr_addr_from_v4((const uint8_t[]){192, 0, 2, last}), SVR_BFD_PORT};
}

static void open_router(int i)
{
    svr_random random = {fill, NULL};
    svr_pathway_settings s;

    svr_pathway_settings_init(&s);
    s.local = endpoint((uint8_t)(1 + i));
    s.remote = endpoint((uint8_t)(2 - i));
    s.boot_counter = 1;
    routers[i].pathway = malloc(svr_pathway_size());
    if (!routers[i].pathway ||
        svr_pathway_init(routers[i].pathway, &s, &random, 0) != 0)
        abort();
}

static bool is_lost(int from, size_t size, svr_time now)
{
    bool is_cut = now > 150 * SVR_SECOND && now < 155 * SVR_SECOND;

    return is_cut || size > LINK_MTU || (from == 0 && draw() % 100 < 2);
}

static void transmit(int from, svr_pathway_message *m, svr_time now)
{
    ptrdiff_t len = svr_bfd_block_encode(NULL, 0, &m->block);

    if (len < 0 || m->kind != SVR_PATHWAY_BFD)
        abort();
    if (m->size == 0)
        m->size = (uint16_t)(len + OVERHEAD);
    if (is_lost(from, m->size, now))
        return;
    for (int i = 0; i < WIRE; i++)
        if (wire[i].at == 0) {
            wire[i] = (struct flight){now + 20 * SVR_MILLISECOND, !from, *m};
            return;
        }
}

static void tell(int i, unsigned changes, svr_time now)
{
    svr_pathway_info info;

    svr_pathway_describe(routers[i].pathway, &info, now);
    if (changes & SVR_PATHWAY_CHANGED_STATE)
        printf("%7.3f s  %s: %s%s\n", (double)now / 1e9, routers[i].name,
               svr_bfd_state_name(info.state), info.ready ? ", ready" : "");
    if (changes & SVR_PATHWAY_CHANGED_MTU)
        printf("%7.3f s  %s: MTU %u\n", (double)now / 1e9, routers[i].name,
               info.mtu);
}

/* The order of pathway.h: what has arrived, then what is due. */
static void work(int i, svr_time now)
{
    svr_pathway *p = routers[i].pathway;
    svr_pathway_message m;

    for (int k = 0; k < WIRE; k++)
        if (wire[k].at && wire[k].at <= now && wire[k].to == i) {
            wire[k].at = 0;
            tell(i, svr_pathway_receive(p, &wire[k].m, now), now);
        }
    if (now < svr_pathway_due(p))
        return;
    tell(i, svr_pathway_handle(p, now), now);
    while (svr_pathway_send(p, &m, now))
        transmit(i, &m, now);
}

int main(void)
{
    for (int i = 0; i < 2; i++)
        open_router(i);
    for (svr_time now = 0; now < 240 * SVR_SECOND; now += SVR_MILLISECOND)
        for (int i = 0; i < 2; i++)
            work(i, now);
    for (int i = 0; i < 2; i++) {
        svr_pathway_info info;
        svr_pathway_describe(routers[i].pathway, &info, 240 * SVR_SECOND);
        printf("%s: %s, failures %u, loss %.1f %%, latency %.1f ms, jitter "
               "%.1f ms, MOS %.2f, MTU %u\n",
               routers[i].name, svr_bfd_state_name(info.state), info.flaps,
               info.quality.loss_ppm / 1e4, info.quality.latency_us / 1e3,
               info.quality.jitter_us / 1e3, info.quality.mos / 1e3, info.mtu);
        free(routers[i].pathway);
    }
    return 0;
}

/*
 * authority.h - the plan of a network as an authority file, and that file as
 * each router reads it.
 *
 * File and keys lie in a folder of their own, which authority_close removes.
 */
#ifndef SIM_AUTHORITY_H
#define SIM_AUTHORITY_H

#include "topology.h"

#include "config/config.h"

enum {
    /* Of each router's LAN: clients and servers have one half each. */
    SERVICE_TCP_PORT = 80,
    SERVICE_UDP_PORT = 5000,
};

/* Of each router, in topology.moves. */
enum service { SERVICE_WEB, SERVICE_VOICE, SERVICE_PING, SERVICE_TUNNEL };

struct authority {
    char folder[32];
    char file[64];
};

/* Ends the program where the file cannot be written. */
void authority_open(struct authority *a, const struct topology *t);
void authority_close(struct authority *a);
/* As svrd would load it, to be freed by config_free. Ends the program where
 * svrd would refuse it. */
struct config *authority_load(const struct authority *a, size_t router);
/* The name of a router, at most 8 bytes. */
void authority_name(char name[8], size_t router);

#endif

/* privileges.h - giving up what is needed only at the start. */
#ifndef SVR_ROUTER_PRIVILEGES_H
#define SVR_ROUTER_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* Whom svrd runs as once its devices are open. */
struct privileges {
    bool change; /* from root to another user */
    bool keep;   /* everything stays: --user root */
    uid_t uid;
    gid_t gid;
    const char *name;
};

/* No core files, and no look into the memory by others of the same user: keys
 * are there. */
void privileges_protect(void);

/* Chooses the user: `user`, or where that is NULL and svrd was started as root,
 * svr or else nobody. 0, or -1 after one line in the log. */
int privileges_choose(struct privileges *out, const char *user);

/* Becomes that user for good, without any capability. 0, or -1 after one line
 * in the log. */
int privileges_drop(const struct privileges *p);

#endif

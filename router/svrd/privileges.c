#include "privileges.h"

#include "log.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void privileges_protect(void)
{
    const struct rlimit none = {0, 0};

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        setrlimit(RLIMIT_CORE, &none) < 0)
        log_warn("core files stay possible: %s", strerror(errno));
}

static void take(struct privileges *out, const struct passwd *entry,
                 const char *name)
{
    out->change = entry->pw_uid != geteuid();
    out->keep = entry->pw_uid == 0;
    out->uid = entry->pw_uid;
    out->gid = entry->pw_gid;
    out->name = name;
}

int privileges_choose(struct privileges *out, const char *user)
{
    static const char *const defaults[] = {"svr", "nobody"};
    const struct passwd *entry;

    memset(out, 0, sizeof *out);
    if (user != NULL) {
        entry = getpwnam(user);
        if (entry == NULL) {
            log_error("there is no user %s", user);
            return -1;
        }
        take(out, entry, user);
        if (out->change && geteuid() != 0) {
            log_error("only root can change to user %s", user);
            return -1;
        }
        return 0;
    }
    for (size_t i = 0; i < 2 && geteuid() == 0; i++) {
        entry = getpwnam(defaults[i]);
        if (entry != NULL) {
            take(out, entry, defaults[i]);
            return 0;
        }
    }
    return 0;
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return (int)syscall(SYS_capset, &header, data);
}

int privileges_drop(const struct privileges *p)
{
    if (p->keep)
        return 0;
    if (p->change &&
        (setgroups(0, NULL) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
         setresuid(p->uid, p->uid, p->uid) < 0)) {
        log_error("cannot become user %s: %s", p->name, strerror(errno));
        return -1;
    }
    if (drop_capabilities() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        log_error("cannot give up capabilities: %s", strerror(errno));
        return -1;
    }
    if (p->change)
        log_debug("running as user %s", p->name);
    privileges_protect(); /* the change of user has undone it */
    return 0;
}

/* paths.h - where svrd and svrctl meet. */
#ifndef SVR_ROUTER_PATHS_H
#define SVR_ROUTER_PATHS_H

#define PATHS_RUN "/run/svr"
#define PATHS_SOCKET_SUFFIX ".sock"
/* The room for a path in a Unix socket address, with its terminating zero. */
#define PATHS_SOCKET_MAX 108

#endif

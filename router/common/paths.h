/* paths.h - where svrd and svrctl meet. */
#ifndef SVR_ROUTER_PATHS_H
#define SVR_ROUTER_PATHS_H

#define PATHS_RUN "/run/svr"
#define PATHS_SOCKET_SUFFIX ".sock"
/* The room for a path in a Unix socket address, with its terminating zero. */
#define PATHS_SOCKET_MAX 108

/* The folder that a file is in, without symbolic links, from malloc, or NULL
 * with errno. */
char *paths_folder(const char *file);
/* The file's name behind that folder: a link of that name stays one. */
char *paths_whole(const char *file);

#endif

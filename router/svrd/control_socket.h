/* control_socket.h - making the control socket's file. */
#ifndef SVR_ROUTER_CONTROL_SOCKET_H
#define SVR_ROUTER_CONTROL_SOCKET_H

#include "privileges.h"

/* Makes and binds a Unix stream socket at path with mode 0600, owned by owner.
 * The file descriptor, or -1 after one line in the log. */
int control_socket_bind(const char *path, const struct privileges *owner);

#endif

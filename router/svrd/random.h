/* random.h - the kernel's randomness, for the node. */
#ifndef SVR_ROUTER_RANDOM_H
#define SVR_ROUTER_RANDOM_H

#include <svr/svr.h>

/* Reads getrandom(2) in larger pieces; ends the program where that fails. */
svr_random random_system(void);

#endif

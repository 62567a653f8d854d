/* suites.h - the algorithms that this program has beside those of libsvr. */
#ifndef SVR_ROUTER_SUITES_H
#define SVR_ROUTER_SUITES_H

#include <svr/crypto.h>

/* Those of libcrypto, looked up at the first call and kept until the program
 * ends; NULL where it was built without. */
const svr_suites *suites_more(void);

#endif

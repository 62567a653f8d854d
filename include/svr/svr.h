/* svr.h - all of libsvr in one include. */
#ifndef SVR_SVR_H
#define SVR_SVR_H

#include <svr/base.h>
#include <svr/crypto.h>
#include <svr/exchange.h>
#include <svr/node.h>
#include <svr/path.h>
#include <svr/pathway.h>
#include <svr/payload.h>
#include <svr/policy.h>
#include <svr/session.h>
#include <svr/topology.h>
#include <svr/version.h>
#include <svr/wire.h>

#endif

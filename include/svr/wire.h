/* wire.h - everything about bytes on the wire: packets and metadata. */
#ifndef SVR_WIRE_H
#define SVR_WIRE_H

#include <svr/bfd.h>
#include <svr/fragment.h>
#include <svr/metadata.h>
#include <svr/packet.h>

#endif

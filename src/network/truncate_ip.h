/*
 * truncate_ip.h
 *		An address cut down to its network.
 */
#ifndef BCCE_TRUNCATE_IP_H
#define BCCE_TRUNCATE_IP_H

#include "utils/inet.h"

/*
 * The network of an address, at most v4 bits long for IPv4 and v6 bits for
 * IPv6; a fresh value.  Errors out (22023) when a length is out of range.
 */
extern inet *ip_truncate(inet *in, int v4, int v6);

#endif

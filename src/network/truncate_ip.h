#ifndef BCCE_TRUNCATE_IP_H
#define BCCE_TRUNCATE_IP_H
#include "utils/inet.h"
extern inet *ip_truncate(inet *in, int v4, int v6);
#endif

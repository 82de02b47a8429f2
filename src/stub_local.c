#include "postgres.h"
#include <sys/socket.h>
#include "utils/uuid.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "common/hashfn.h"
#include "bcce.h"
#include "crypto/pseudonym.h"
#include "network/truncate_ip.h"
void report_now_init(void) {}
bool pseudonym_is(const char *s, size_t len) { return len>=28 && s[len-27]=='_'; }
text *pseudonym_for(const pg_uuid_t *t, const char *v, size_t len, const char *d)
{ char b[64]; int i; uint32 h=hash_bytes((const unsigned char*)v,len)^hash_bytes(t->data,16); int n=sprintf(b,"%s_",d); for(i=0;i<26;i++){ b[n++]="abcdefghijklmnopqrstuvwxyz234567"[h&31]; h=h*1103515245+12345; h^=h>>13;} return cstring_to_text_with_len(b,n);}
inet *ip_truncate(inet *in, int v4, int v6)
{ Datum x=DirectFunctionCall2(inet_set_masklen, InetPGetDatum(in), Int32GetDatum(ip_family(in)==PGSQL_AF_INET?v4:v6)); return DatumGetInetPP(DirectFunctionCall1(network_network,x)); }

/*
 * truncate_ip.c
 *		An address cut down to its network, so that it no longer names a person.
 *
 * Three traps lie here.  An IPv4 address written inside IPv6 (::ffff:a.b.c.d)
 * masked at /48 would put all such visitors into one network, so it is taken
 * out first.  A network wider than the wanted length must stay as it is: to
 * print 10.0.0.0/8 as a /24 would claim what nobody knew.  And a few IPv6
 * prefixes carry a whole IPv4 address in front of bit 48 or behind it; of that
 * no more is kept than the IPv4 length allows.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "fmgr.h"
#include "utils/inet.h"

#include "compat.h"
#include "error.h"
#include "network/truncate_ip.h"

/* Bytes before the embedded address in ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
static const unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* 64:ff9b::/96, addresses of IPv4 hosts behind a translator (RFC 6052). */
static const unsigned char nat64_prefix[12] = {0, 0x64, 0xff, 0x9b};

/* 2002::/16, an IPv4 address in the next 32 bits (RFC 3056). */
static const unsigned char sixtofour_prefix[2] = {0x20, 0x02};

/* Refuses a length that no address of the family has. */
static inline void
check_prefix_length(const char *family, int length, int max)
{
	if (length < 0 || length > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s prefix length is out of range", family),
				 errdetail("The length is %d.", length),
				 errhint("Give a number of bits from 0 to %d.", max),
				 bcce_hide_input()));
}

/* Is this an IPv4 address (or network of them) written as IPv6? */
static bool
is_mapped(inet *in)
{
	return ip_family(in) == PGSQL_AF_INET6 && ip_bits(in) >= 96 &&
		memcmp(ip_addr(in), mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* The most bits of an IPv6 address that show no more than v4 bits of IPv4. */
static int
embedded_limit(const unsigned char *addr, int v4)
{
	if (memcmp(addr, sixtofour_prefix, sizeof(sixtofour_prefix)) == 0)
		return 16 + v4;
	if (memcmp(addr, nat64_prefix, sizeof(nat64_prefix)) == 0)
		return 96 + v4;
	return 128;
}

/* A network of the given family: the first bits of addr, then zeros. */
static inet *
make_network(int family, const unsigned char *addr, int bits)
{
	inet	   *result = (inet *) palloc0(sizeof(inet));
	int			whole = bits / 8;

	ip_family(result) = family;
	ip_bits(result) = bits;
	memcpy(ip_addr(result), addr, whole);
	if (bits % 8 != 0)
		ip_addr(result)[whole] = addr[whole] & (unsigned char) (0xff << (8 - bits % 8));
	SET_INET_VARSIZE(result);
	return result;
}

/* See the header. */
inet *
ip_truncate(inet *in, int v4, int v6)
{
	unsigned char *addr = ip_addr(in);

	check_prefix_length("IPv4", v4, 32);
	check_prefix_length("IPv6", v6, 128);

	if (ip_family(in) == PGSQL_AF_INET)
		return make_network(PGSQL_AF_INET, addr, Min(ip_bits(in), v4));
	if (is_mapped(in))
		return make_network(PGSQL_AF_INET, addr + sizeof(mapped_prefix),
							Min(ip_bits(in) - 96, v4));
	return make_network(PGSQL_AF_INET6, addr,
						Min(Min(ip_bits(in), v6), embedded_limit(addr, v4)));
}

PG_FUNCTION_INFO_V1(truncate_ip);
/* truncate_ip(inet, v4 int, v6 int) returns inet */
Datum
truncate_ip(PG_FUNCTION_ARGS)
{
	PG_RETURN_INET_P(ip_truncate(PG_GETARG_INET_PP(0),
								 PG_GETARG_INT32(1),
								 PG_GETARG_INT32(2)));
}

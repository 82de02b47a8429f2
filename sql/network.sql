-- Proves: an address loses its host part, IPv4 inside IPv6 is cut as IPv4, and
-- no result claims to be finer than its input.
\set VERBOSITY sqlstate

-- defaults
SELECT bcce.truncate_ip('203.0.113.77') = '203.0.113.0/24' AS v4_at_24,
       bcce.truncate_ip('2001:db8:1234:5678::9') = '2001:db8:1234::/48' AS v6_at_48;
SELECT text(bcce.truncate_ip('203.0.113.77')) AS v4, text(bcce.truncate_ip('2001:db8:1234:5678::9')) AS v6;

-- other lengths, also ones that end inside a byte
SELECT bcce.truncate_ip('203.0.113.77', 20) = '203.0.112.0/20' AS v4_at_20,
       bcce.truncate_ip('203.0.113.77', 0) = '0.0.0.0/0' AS v4_at_0,
       bcce.truncate_ip('203.0.113.77', 32) = '203.0.113.77' AS v4_at_32,
       bcce.truncate_ip('203.0.113.77', v6 => 0) = '203.0.113.0/24' AS v6_does_not_touch_v4,
       bcce.truncate_ip('ffff:ffff:ffff:ffff::1', 24, 57) = 'ffff:ffff:ffff:ff80::/57' AS v6_at_57,
       bcce.truncate_ip('2001:db8::1', 24, 128) = '2001:db8::1' AS v6_at_128,
       bcce.truncate_ip('2001:db8::1', 24, 0) = '::/0' AS v6_at_0;

-- IPv4 inside IPv6 is unmapped first, with its prefix
SELECT bcce.truncate_ip('::ffff:203.0.113.77') = '203.0.113.0/24' AS mapped,
       bcce.truncate_ip('::ffff:10.1.2.3/104') = '10.0.0.0/8' AS mapped_network,
       bcce.truncate_ip('::ffff:0:0/96') = '0.0.0.0/0' AS all_of_mapped,
       bcce.truncate_ip('::ffff:10.1.2.3/64') = '::/48' AS wider_than_mapped,
       family(bcce.truncate_ip('::fffe:203.0.113.77')) = 6 AS near_miss;

-- other carriers of an IPv4 address show no more of it than v4 bits
SELECT bcce.truncate_ip('2002:cb00:714d:1::1') = '2002:cb00:7100::/40' AS sixtofour,
       bcce.truncate_ip('2002:cb00:714d:1::1', 32) = '2002:cb00:714d::/48' AS sixtofour_whole,
       bcce.truncate_ip('64:ff9b::203.0.113.77', 24, 128) = '64:ff9b::203.0.113.0/120' AS nat64,
       bcce.truncate_ip('64:ff9b::203.0.113.77') = '64:ff9b::/48' AS nat64_default;

-- a coarser address never looks finer, and its host bits go all the same
SELECT bcce.truncate_ip('10.0.0.5/8') = '10.0.0.0/8' AS eight_stays_eight,
       bcce.truncate_ip('10.1.2.3/24', 16) = '10.1.0.0/16' AS cut,
       bcce.truncate_ip('2001:db8::1/32') = '2001:db8::/32' AS v6_stays,
       bcce.truncate_ip('10.0.0.0/8'::cidr) = '10.0.0.0/8' AS cidr_too;

-- truth over many: the result holds the input, is idempotent, and masklen is the smaller one
SELECT bool_and(t >>= ip) AS contains_input,
       bool_and(bcce.truncate_ip(t, v4, v6) = t) AS idempotent,
       bool_and(masklen(t) = least(masklen(ip), CASE family(ip) WHEN 4 THEN v4 ELSE v6 END)) AS smaller_length,
       bool_and(host(t) = host(network(t))) AS host_bits_zero,
       bool_and(t = CASE WHEN masklen(ip) > CASE family(ip) WHEN 4 THEN v4 ELSE v6 END
                         THEN network(set_masklen(ip, CASE family(ip) WHEN 4 THEN v4 ELSE v6 END))
                         ELSE network(ip) END) AS same_as_core
FROM (SELECT ip, v4, v6, bcce.truncate_ip(ip, v4, v6) AS t
      FROM (SELECT set_masklen(CASE WHEN g % 2 = 0 THEN inet '1.2.3.4' + g * 104729
                                    ELSE inet '2a00:1450::77' + g * 922337203685477 END,
                               g % CASE WHEN g % 2 = 0 THEN 33 ELSE 129 END) AS ip,
                   g % 33 AS v4,
                   g % 129 AS v6
            FROM generate_series(1, 10000) AS g) AS made) AS cut;

-- NULL
SELECT bcce.truncate_ip(NULL) IS NULL AS null_ip, bcce.truncate_ip('10.0.0.1', NULL) IS NULL AS null_length;

-- errors
SELECT bcce.truncate_ip('10.0.0.1', -1);
SELECT bcce.truncate_ip('10.0.0.1', 33);
SELECT bcce.truncate_ip('10.0.0.1', 24, -1);
SELECT bcce.truncate_ip('10.0.0.1', 24, 129);
\set VERBOSITY terse
SELECT bcce.truncate_ip('10.0.0.1', 33);

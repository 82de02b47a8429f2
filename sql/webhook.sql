-- Proves: verify_hmac() accepts the codes of RFC 4231 and nothing near them:
-- no flipped bit, no truncated, extended or empty signature, no empty key.
\set VERBOSITY sqlstate

-- RFC 4231, section 4, cases 1-4, 6 and 7 (case 5 is a truncated code: below)
CREATE TABLE rfc4231 (test int, key bytea, data bytea, sha256 bytea, sha512 bytea);
INSERT INTO rfc4231 VALUES
(1, decode(repeat('0b', 20), 'hex'), 'Hi There',
 '\xb0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
 '\x87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854'),
(2, 'Jefe', 'what do ya want for nothing?',
 '\x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
 '\x164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737'),
(3, decode(repeat('aa', 20), 'hex'), decode(repeat('dd', 50), 'hex'),
 '\x773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
 '\xfa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb'),
(4, '\x0102030405060708090a0b0c0d0e0f10111213141516171819', decode(repeat('cd', 50), 'hex'),
 '\x82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
 '\xb0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd'),
(6, decode(repeat('aa', 131), 'hex'), 'Test Using Larger Than Block-Size Key - Hash Key First',
 '\x60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
 '\x80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598'),
(7, decode(repeat('aa', 131), 'hex'),
 'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
 '\x9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
 '\xe37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58');
SELECT test, length(key) AS key_bytes,
       bcce.verify_hmac(data, sha256, key) AS by_default,
       bcce.verify_hmac(data, sha256, key, 'sha256') AS sha256,
       bcce.verify_hmac(data, sha512, key, 'sha512') AS sha512
FROM rfc4231 ORDER BY test;

-- case 5: the published 128 bits are a beginning, not the code
SELECT bcce.verify_hmac('Test With Truncation', '\xa3b6167473100ee06e0c796c2955552b', decode(repeat('0c', 20), 'hex')) AS first_128_bits_of_256,
       bcce.verify_hmac('Test With Truncation', '\x415fad6271580a531d4179bc891d87a6', decode(repeat('0c', 20), 'hex'), 'sha512') AS first_128_bits_of_512;

-- each single flipped bit of the signature is wrong, and of the data, and of the key
SELECT count(*) AS tried,
       count(*) FILTER (WHERE bcce.verify_hmac(data, set_bit(sha256, b % 256, 1 - get_bit(sha256, b % 256)), key)) AS sha256_accepted,
       count(*) FILTER (WHERE bcce.verify_hmac(data, set_bit(sha512, b, 1 - get_bit(sha512, b)), key, 'sha512')) AS sha512_accepted,
       count(*) FILTER (WHERE bcce.verify_hmac(set_bit(data, b % 64, 1 - get_bit(data, b % 64)), sha256, key)) AS data_accepted,
       count(*) FILTER (WHERE bcce.verify_hmac(data, sha256, set_bit(key, b % 32, 1 - get_bit(key, b % 32)))) AS key_accepted
FROM rfc4231, generate_series(0, 511) AS b;

-- every other length is wrong
SELECT count(*) FILTER (WHERE bcce.verify_hmac(data, substr(sha256, 1, n), key)) AS shorter_accepted,
       count(*) FILTER (WHERE bcce.verify_hmac(data, substr(sha512, 1, n), key, 'sha512')) AS shorter_512_accepted,
       count(*) FILTER (WHERE bcce.verify_hmac(data, sha256 || decode(repeat('00', n + 1), 'hex'), key)) AS longer_accepted
FROM rfc4231, generate_series(0, 31) AS n;
SELECT bcce.verify_hmac(data, sha512, key) AS other_algorithm,
       bcce.verify_hmac(data, convert_to(encode(sha256, 'hex'), 'UTF8'), key) AS hex_text,
       bcce.verify_hmac(data, '', key) AS empty_signature
FROM rfc4231 WHERE test = 1;

-- a key is not cut at a zero byte, and "key" differs from "key" plus a space
SELECT bcce.verify_hmac('what do ya want for nothing?', sha256, 'Jefe ') AS longer_key,
       bcce.verify_hmac('what do ya want for nothing?', sha256, '\x4a6566650001') AS past_zero_byte
FROM rfc4231 WHERE test = 2;

-- empty data has a code (HMAC_SHA256("key", "")); megabytes, compressed or not, have the same one
SELECT bcce.verify_hmac('', '\x5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0', 'key') AS empty_data;
CREATE TABLE body (kind text, data bytea);
ALTER TABLE body ALTER data SET STORAGE EXTERNAL;
INSERT INTO body VALUES ('plain', convert_to(repeat('0123456789abcdef', 65536), 'UTF8'));
ALTER TABLE body ALTER data SET STORAGE EXTENDED;
INSERT INTO body VALUES ('compressed', convert_to(repeat('0123456789abcdef', 65536), 'UTF8'));
SELECT kind, length(data),
       bcce.verify_hmac(data, '\x062fc72228f9bc092fa96b8c46b66776c9bd1595c4af7b596d0c7248528407ac', 'key') AS sha256,
       bcce.verify_hmac(data, '\xbe7475823911c27146b345abde6895541c60aaaaeb3ae33f7748faa812ded6732c3d580c4ba62fb1f8c0b4f20d8b823de30da81d1ac7b9374b0ee405b62f6d75', 'key', 'sha512') AS sha512
FROM body ORDER BY kind DESC;

-- NULL
SELECT bcce.verify_hmac(NULL, '', 'k') IS NULL AS data,
       bcce.verify_hmac('', NULL, 'k') IS NULL AS signature,
       bcce.verify_hmac('', '', NULL) IS NULL AS key,
       bcce.verify_hmac('', '', 'k', NULL) IS NULL AS algorithm;

-- errors: names that are not exactly known, and an empty key
SELECT bcce.verify_hmac('', '', 'k', 'sha1');
SELECT bcce.verify_hmac('', '', 'k', 'SHA256');
SELECT bcce.verify_hmac('', '', 'k', 'sha256 ');
SELECT bcce.verify_hmac('', '', 'k', 'schlüssel');
SELECT bcce.verify_hmac('', '', 'k', '');
SELECT bcce.verify_hmac('', '\xb613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad', '');
\set VERBOSITY default
SELECT bcce.verify_hmac('', '', 'k', 'md5');
SELECT bcce.verify_hmac('', '', '');

-- only bytes are taken: text that has been parsed and printed again is not what was signed
SELECT bcce.verify_hmac('{}'::text, ''::bytea, 'k'::bytea);

DROP TABLE rfc4231, body;

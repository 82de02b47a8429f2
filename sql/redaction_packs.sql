-- The packs national_id and crypto_wallet: off unless named; what each scheme's
-- check digits take and refuse; which numbers need groups, a word beside them or
-- a text of their own; and that redacting twice changes nothing.
\set VERBOSITY sqlstate
SET client_min_messages = warning;

-- Off unless named.
SELECT bcce.redact(t) = t AS plain, bcce.redact(t, NULL) = t AS kinds_null, bcce.redact(t, ARRAY['default']) = t AS by_default,
    bcce.contains_pii(t) AS contains_pii, (SELECT count(*) FROM bcce.find_pii(t)) AS found,
    bcce.redact(t, ARRAY['national_id']) AS national_id, bcce.redact(t, ARRAY['crypto_wallet']) AS crypto_wallet,
    bcce.redact(t || ' jo@example.org', ARRAY['default', 'crypto_wallet']) AS one_more, bcce.redact(t || ' jo@example.org', ARRAY['all']) AS "all"
FROM (VALUES ('nino AB123456C, pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT')) AS v (t);
SELECT kind, subtype, start, length, round(confidence::numeric, 2) AS confidence
FROM bcce.find_pii('nino AB123456C, pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT, jo@example.org', ARRAY['all']);
SELECT count(*) AS only_mail FROM bcce.find_pii('AB123456C jo@example.org', NULL);
SELECT count(*) AS nothing FROM bcce.find_pii(NULL, ARRAY['all']);
SELECT * FROM bcce.find_pii('x', ARRAY['name']);

-- Found: the subtype, its check, and that the rest stays.  Numbers are made up or published as examples.
CREATE FUNCTION pg_temp.verdict(t text, expected text) RETURNS text LANGUAGE sql AS
$$
    SELECT CASE
        WHEN (SELECT string_agg(subtype, ' ') FROM bcce.find_pii(t, ARRAY['national_id', 'crypto_wallet'])) IS DISTINCT FROM expected
            THEN (SELECT 'found: ' || coalesce(string_agg(subtype, ' '), 'nothing') FROM bcce.find_pii(t, ARRAY['national_id', 'crypto_wallet']))
        WHEN (SELECT bool_or(bcce.redact(once, ARRAY['all'], style) <> once)
              FROM unnest(ARRAY['tag', 'mask', 'numbered', 'drop']) AS style, bcce.redact(t, ARRAY['all'], style) AS once)
            THEN 'redacting twice differs'
        ELSE 'ok' END
$$;
SELECT n, pg_temp.verdict(t, expected) AS verdict, CASE WHEN pg_temp.verdict(t, expected) <> 'ok' THEN t END AS wrong
FROM (VALUES
    (1, 'NHS number 401-023-2137', 'uk_nhs'), (2, 'her nino is AA 12 34 56 B', 'uk_nino'),
    (3, 'MORGA657054SM9IJ', 'uk_driving_licence'), (4, 'passport AB1234567', 'uk_passport'),
    (5, 'the vehicle AB51 ABC was seen', 'uk_vehicle_registration'), (6, '911-70-1234', 'us_itin'),
    (7, 'passport 912803456', 'uk_passport'), (8, 'NPI 1234567893', 'us_npi'), (9, '1EG4-TE5-MK73', 'us_mbi'),
    (10, 'routing 121042882', 'us_aba_routing'), (11, 'bank account 945456787654', 'us_bank'),
    (12, 'my driver''s license is F162823540116', 'us_driver_license'), (13, 'ABN 51 824 753 556', 'au_abn'),
    (14, 'tax file number 876 543 210', 'au_tfn'), (15, 'ACN 000 000 019', 'au_acn'), (16, 'medicare 2123 45670 1', 'au_medicare'),
    (17, 'my SIN is 130-692-544', 'ca_sin'), (18, 'Steuer-ID 36 574 261 809', 'de_tax_id'), (19, '15070649C103', 'de_social_security'),
    (20, 'Krankenkasse A123456780', 'de_health_insurance'), (21, 'Reisepass C01234565', 'de_passport'),
    (22, 'HRB 123456', 'de_handelsregister'), (23, 'Kennzeichen M-XY-999', 'de_kfz'), (24, 'DE129273398', 'de_vat_id'),
    (25, 'DNI 12345678Z', 'es_nif'), (26, 'X9613851N', 'es_nie'), (27, '131052-308T', 'fi_personal_identity_code'),
    (28, '3123 4567 8909', 'in_aadhaar'), (29, 'AAASA1111R', 'in_pan'), (30, '27ABCDE1234F1Z5', 'in_gstin'),
    (31, 'RSSMRA70A01H501S', 'it_fiscal_code'), (32, 'P.IVA 01333550323', 'it_vat_code'), (33, '960121-1234567', 'kr_rrn'),
    (34, '104-86-56659', 'kr_brn'), (35, 'pesel 44051401458', 'pl_pesel'), (36, 'personnummer 9201232387', 'se_personnummer'),
    (37, 'S2740116C', 'sg_fin'), (38, '201434292D', 'sg_uen'), (39, '2-3456-78901-23-4', 'th_tnin'),
    (40, 'TC Kimlik No: 10000000146', 'tr_national_id'), (41, 'South African ID 8001015009087', 'za_id_number'),
    (42, '390.533.447-05', 'br_cpf'), (43, '11010519491231002X', 'cn_resident_id'), (44, 'NIR 255081416802538', 'fr_nir'),
    (45, '85.07.30-033.28', 'be_national_number'), (46, 'BSN 111222333', 'nl_bsn'), (47, '756.9217.0769.85', 'ch_ahv'),
    (48, 'HEGG560427MVZRRL04', 'mx_curp'), (49, '여권번호는 M789C1234입니다', 'kr_passport'), (50, '876543210', 'au_tfn'),
    (51, '16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ and 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy', 'bitcoin bitcoin'),
    (52, 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 'bitcoin'),
    (53, 'bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297', 'bitcoin'),
    (54, '0x52908400098527886E0F7030069857D2E4169EE7', 'ethereum'),
    (55, 'BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ', 'bitcoin'),
    (56, '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4' || 'dZ1jvhTVqvbTLvyTJ', 'key')
) AS v (n, t, expected) ORDER BY n;

-- Left alone: a wrong check digit, no word, glued, one of a row, and what logs hold.
SELECT n, pg_temp.verdict(t, NULL) AS verdict, CASE WHEN pg_temp.verdict(t, NULL) <> 'ok' THEN t END AS wrong
FROM (VALUES
    (1, 'NHS number 401-023-2138'), (2, 'BG123456C'), (3, '1SG4-TE5-MK73'), (4, 'routing 121042883'), (5, 'ABN 51 824 753 557'),
    (6, 'my SIN is 130-692-545'), (7, '15070649C100'), (8, 'DNI 12345678A'), (9, '131052-308U'), (10, '3123 4567 8908'),
    (11, '104-86-56658'), (12, 'pesel 44051401459'), (13, 'S2740116D'), (14, 'TC Kimlik No: 10000000147'), (15, '390.533.447-06'),
    (16, '756.9217.0769.84'), (17, '16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2'), (18, 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx'),
    (19, '0x0000000000000000000000000000000000000000'), (20, 'order 1234567893 shipped'), (21, 'id=876543210 n=121042882'),
    (22, 'fans 4530 3123 4567 8909 3479'), (23, 'x_AB123456C AB123456C_x'), (24, 'commit 12345678Z0 at 2024-01-31T12:30:45'),
    (25, 'max_tokens: 4096, input_tokens: 44051401458'), (26, '550e8400-e29b-41d4-a716-446655440000'),
    (27, 'sha256:' || repeat('0a1b', 16)), (28, 'blk_4405140145 1700000000000 3.14159265358'), (29, 'license version 12345678'),
    (30, 'passport'), (31, 'to do 4'), (32, '192.168.100.200')
) AS v (n, t) ORDER BY n;

-- The key of a value says what it is; numbers keep their type unless they are one.
SELECT bcce.redact('{"nhsNumber": "4010232137", "order": "4010232137", "nhs": 4010232137, "n": 4010232137, "wallet": ["1BoatSLRHtKNngkdXEeobR76b53LETtpyT"]}'::jsonb, ARRAY['all']);
SELECT style, bcce.redact('nino AB123456C and AB123456C, nhs 4010232137', ARRAY['all'], style) FROM unnest(ARRAY['tag', 'mask', 'numbered', 'drop']) AS style;
SELECT length(bcce.redact(repeat('AB12 ', 1000000), ARRAY['all'])) AS long_text;

/*
 * id_check.h
 *		Check digits and dates of the numbers that states give.
 *
 * Each gets the letters (in upper case) and digits of one number that has the
 * pattern of its scheme, without separators and closed by a zero byte.
 */
#ifndef BCCE_ID_CHECK_H
#define BCCE_ID_CHECK_H

#include <stdbool.h>

typedef bool (*IdCheck) (const char *id, int len);

extern bool check_luhn(const char *id, int len);
extern bool check_verhoeff(const char *id, int len);
extern bool check_iso7064(const char *id, int len);
extern bool check_icao(const char *id, int len);
extern bool check_uk_nhs(const char *id, int len);
extern bool check_uk_nino(const char *id, int len);
extern bool check_uk_licence(const char *id, int len);
extern bool check_uk_plate(const char *id, int len);
extern bool check_us_itin(const char *id, int len);
extern bool check_us_npi(const char *id, int len);
extern bool check_us_mbi(const char *id, int len);
extern bool check_us_routing(const char *id, int len);
extern bool check_us_dea(const char *id, int len);
extern bool check_au_abn(const char *id, int len);
extern bool check_au_acn(const char *id, int len);
extern bool check_au_tfn(const char *id, int len);
extern bool check_au_medicare(const char *id, int len);
extern bool check_ca_sin(const char *id, int len);
extern bool check_de_tax_id(const char *id, int len);
extern bool check_de_pension(const char *id, int len);
extern bool check_de_health(const char *id, int len);
extern bool check_de_lanr(const char *id, int len);
extern bool check_es_nif(const char *id, int len);
extern bool check_fi_hetu(const char *id, int len);
extern bool check_in_aadhaar(const char *id, int len);
extern bool check_in_passport(const char *id, int len);
extern bool check_in_pan(const char *id, int len);
extern bool check_in_gstin(const char *id, int len);
extern bool check_it_fiscal(const char *id, int len);
extern bool check_kr_rrn(const char *id, int len);
extern bool check_kr_passport(const char *id, int len);
extern bool check_kr_brn(const char *id, int len);
extern bool check_pl_pesel(const char *id, int len);
extern bool check_se_person(const char *id, int len);
extern bool check_se_company(const char *id, int len);
extern bool check_sg_nric(const char *id, int len);
extern bool check_sg_uen(const char *id, int len);
extern bool check_th_tnin(const char *id, int len);
extern bool check_tr_person(const char *id, int len);
extern bool check_tr_plate(const char *id, int len);
extern bool check_za_id(const char *id, int len);
extern bool check_br_cpf(const char *id, int len);
extern bool check_cn_ric(const char *id, int len);
extern bool check_fr_nir(const char *id, int len);
extern bool check_be_person(const char *id, int len);
extern bool check_nl_bsn(const char *id, int len);
extern bool check_ch_ahv(const char *id, int len);
extern bool check_no_person(const char *id, int len);
extern bool check_mx_curp(const char *id, int len);

#endif

/*
 * detect_id_check.c
 *		Check digits and dates of the numbers that states give.
 */
#include <string.h>

#include "redact/id_check.h"

/* Value of a character of an id: digits, then letters from 10. */
static int
value_of(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* The number that n digits write. */
static int
number_at(const char *id, int n)
{
	int			value = 0;

	while (n-- > 0)
		value = value * 10 + (*id++ - '0');
	return value;
}

/* The remainder of a number of any length. */
static int
remainder_of(const char *id, int len, int divisor)
{
	int			rest = 0;
	int			i;

	for (i = 0; i < len; i++)
		rest = (rest * 10 + (id[i] - '0')) % divisor;
	return rest;
}

/* Sum of the digits times their weights, one for each letter from 'A' as 0. */
static int
weigh(const char *id, const char *weights)
{
	int			sum = 0;

	for (; *weights; weights++, id++)
		sum += (*id - '0') * (*weights - 'A');
	return sum;
}

/* Is the whole of it one character? */
static bool
all_same(const char *id, int len)
{
	int			i;

	for (i = 1; i < len && id[i] == id[0]; i++);
	return i == len;
}

static bool
is_month(int month)
{
	return month >= 1 && month <= 12;
}

/* A day that its month can have. */
static bool
is_date(int month, int day)
{
	static const char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return is_month(month) && day >= 1 && day <= days[month - 1];
}

/* The remainder of a Luhn sum; 0 where it holds. */
static int
luhn_rest(const char *id, int len)
{
	int			sum = 0;
	int			i;

	for (i = 0; i < len; i++)
	{
		int			d = id[len - 1 - i] - '0';

		if (i & 1)
			d = d > 4 ? 2 * d - 9 : 2 * d;
		sum += d;
	}
	return sum % 10;
}

bool
check_luhn(const char *id, int len)
{
	return luhn_rest(id, len) == 0 && !all_same(id, len);
}

/* Verhoeff's check, the product table of the dihedral group D5 computed. */
bool
check_verhoeff(const char *id, int len)
{
	static const char permute[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
	int			state = 0;
	int			i;

	for (i = 0; i < len; i++)
	{
		int			d = id[len - 1 - i] - '0';
		int			k;

		for (k = 0; k < i % 8; k++)
			d = permute[d];
		if (state < 5)
			state = d < 5 ? (state + d) % 5 : 5 + (state + d) % 5;
		else
			state = d < 5 ? 5 + (state - 5 + 5 - d) % 5 : (state - d + 5) % 5;
	}
	return state == 0;
}

/* ISO 7064, modulo 11, 10: all digits, the first no zero, the last the check. */
bool
check_iso7064(const char *id, int len)
{
	int			product = 10;
	int			i;

	for (i = 0; i < len - 1; i++)
	{
		int			sum = (id[i] - '0' + product) % 10;

		product = (sum == 0 ? 10 : sum) * 2 % 11;
	}
	return id[0] != '0' && (11 - product) % 10 == id[len - 1] - '0';
}

/* ICAO 9303: weights 7, 3, 1, the last digit the check. */
bool
check_icao(const char *id, int len)
{
	int			sum = 0;
	int			i;

	for (i = 0; i < len - 1; i++)
		sum += value_of(id[i]) * (i % 3 == 0 ? 7 : i % 3 == 1 ? 3 : 1);
	return sum % 10 == id[len - 1] - '0';
}

bool
check_uk_nhs(const char *id, int len)
{
	int			check = (11 - weigh(id, "KJIHGFEDC") % 11) % 11;

	return check == id[9] - '0' && !all_same(id, len);
}

bool
check_uk_nino(const char *id, int len)
{
	static const char never[] = "BG GB NK KN TN NT ZZ";
	int			i;

	for (i = 0; i < (int) sizeof(never); i += 3)
		if (memcmp(id, never + i, 2) == 0)
			return false;
	return strchr("DFIQUV", id[0]) == NULL && strchr("DFIOQUV", id[1]) == NULL && id[8] <= 'D';
}

/* Five of the name, decade, month (a woman's plus 50), day, year, initials. */
bool
check_uk_licence(const char *id, int len)
{
	int			month = number_at(id + 6, 2);
	int			i;

	for (i = 0; i < 5; i++)
		if (id[i] < 'A' && id[i] != '9')
			return false;
	for (i = 11; i < 13; i++)
		if (id[i] < 'A' && id[i] != '9')
			return false;
	return is_date(month > 50 ? month - 50 : month, number_at(id + 8, 2));
}

/* Plates by age since 2001, and those before with one letter for the year. */
bool
check_uk_plate(const char *id, int len)
{
	int			age;

	if (id[0] >= 'A' && id[1] >= 'A' && id[2] < 'A')
	{
		age = number_at(id + 2, 2);
		return (age >= 2 && age <= 29) || (age >= 51 && age <= 79);
	}
	return strchr("IOQUZ", id[1] < 'A' ? id[0] : id[len - 1]) == NULL;
}

bool
check_us_itin(const char *id, int len)
{
	int			group = number_at(id + 3, 2);

	return id[0] == '9' && group >= 50 && group != 66 && group != 67 && group != 68 && group != 69 &&
		group != 89 && group != 93;
}

/* The card prefix 80840 of health care stands before it; none begins with 2 as yet. */
bool
check_us_npi(const char *id, int len)
{
	return id[0] == '1' && (luhn_rest(id, len) + 24) % 10 == 0 && !all_same(id, len - 1);
}

bool
check_us_mbi(const char *id, int len)
{
	int			i;

	for (i = 0; i < len; i++)
		if (id[i] >= 'A' && strchr("SLOIBZ", id[i]) != NULL)
			return false;
	return id[0] != '0';
}

bool
check_us_routing(const char *id, int len)
{
	int			office = number_at(id, 2);

	return (office <= 12 || (office >= 21 && office <= 32) || (office >= 61 && office <= 72) || office == 80) &&
		weigh(id, "DHBDHBDHB") % 10 == 0 && !all_same(id, len);
}

/* Registration to prescribe: two letters, or a letter and 9, and seven digits. */
bool
check_us_dea(const char *id, int len)
{
	return strchr("IKNOQVWYZ", id[0]) == NULL && (id[1] >= 'A' || id[1] == '9') &&
		(weigh(id + 2, "BABABA") + 2 * weigh(id + 2, "ABABAB")) % 10 == id[8] - '0';
}

bool
check_au_abn(const char *id, int len)
{
	return id[0] != '0' && (weigh(id, "KBDFHJLNPRT") - 10) % 89 == 0;
}

bool
check_au_acn(const char *id, int len)
{
	return (10 - weigh(id, "IHGFEDCB") % 10) % 10 == id[8] - '0' && !all_same(id, len);
}

bool
check_au_tfn(const char *id, int len)
{
	return weigh(id, "BEDHFIGJK") % 11 == 0 && !all_same(id, len);
}

bool
check_au_medicare(const char *id, int len)
{
	return id[0] >= '2' && id[0] <= '6' && weigh(id, "BDHJBDHJ") % 10 == id[8] - '0';
}

bool
check_ca_sin(const char *id, int len)
{
	return id[0] != '0' && id[0] != '8' && check_luhn(id, len);
}

/* Of the first ten digits one comes twice or three times, the others once. */
bool
check_de_tax_id(const char *id, int len)
{
	int			count[10] = {0};
	int			repeated = 0;
	int			i;

	for (i = 0; i < 10; i++)
		count[id[i] - '0']++;
	for (i = 0; i < 10; i++)
	{
		if (count[i] > 3)
			return false;
		repeated += count[i] > 1;
	}
	return repeated == 1 && check_iso7064(id, len);
}

/* The sum of the digits of all products of a number whose letter is two digits. */
static int
cross_sum(const char *id, int len, const char *weights)
{
	int			sum = 0;
	int			k = 0;
	int			i;

	for (i = 0; i < len; i++)
	{
		int			value = id[i] < 'A' ? id[i] - '0' : id[i] - 'A' + 1;
		int			product;

		if (id[i] >= 'A')
		{
			product = value / 10 * (weights[k++] - 'A');
			sum += product / 10 + product % 10;
		}
		product = value % 10 * (weights[k++] - 'A');
		sum += product / 10 + product % 10;
	}
	return sum;
}

/* Area, date of birth (the day may have 50 more), letter, serial, check. */
bool
check_de_pension(const char *id, int len)
{
	int			day = number_at(id + 2, 2);

	return is_date(number_at(id + 4, 2), day > 50 ? day - 50 : day) &&
		cross_sum(id, 11, "CBCFHBCBCBCB") % 10 == id[11] - '0';
}

bool
check_de_health(const char *id, int len)
{
	return cross_sum(id, 9, "BCBCBCBCBC") % 10 == id[9] - '0';
}

bool
check_de_lanr(const char *id, int len)
{
	return (10 - weigh(id, "EJEJEJ") % 10) % 10 == id[6] - '0' && !all_same(id, len);
}

/* A letter for the number modulo 23; of foreigners X, Y, Z are 0, 1, 2. */
bool
check_es_nif(const char *id, int len)
{
	int			number = id[0] >= 'A' ? (id[0] - 'X') * 10000000 + number_at(id + 1, len - 2) :
		number_at(id, len - 1);

	return (id[0] < 'A' || id[0] >= 'X') && "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == id[len - 1];
}

/* Date, the century's letter where it is written, three digits, check. */
bool
check_fi_hetu(const char *id, int len)
{
	int			serial = len == 11 ? 7 : 6;

	if (len == 11 && strchr("ABCDEFUVWXY", id[6]) == NULL)
		return false;
	return is_date(number_at(id + 2, 2), number_at(id, 2)) && number_at(id + serial, 3) >= 2 &&
		"0123456789ABCDEFHJKLMNPRSTUVWXY"[(number_at(id, 6) * 1000 + number_at(id + serial, 3)) % 31] == id[len - 1];
}

bool
check_in_aadhaar(const char *id, int len)
{
	int			i;

	for (i = 0; i < len / 2 && id[i] == id[len - 1 - i]; i++);
	return id[0] >= '2' && i < len / 2 && check_verhoeff(id, len);
}

bool
check_in_passport(const char *id, int len)
{
	return strchr("QXZ", id[0]) == NULL && id[1] != '0' && id[7] != '0';
}

/* The fourth letter says who holds it. */
bool
check_in_pan(const char *id, int len)
{
	return strchr("ABCFGHJLPT", id[3]) != NULL;
}

/* State, the holder's account, its number, Z, check. */
bool
check_in_gstin(const char *id, int len)
{
	int			state = number_at(id, 2);

	return state >= 1 && (state <= 38 || state >= 97);
}

/* Names, year, month's letter, day (a woman's plus 40), place. */
bool
check_it_fiscal(const char *id, int len)
{
	int			day = number_at(id + 9, 2);

	return strchr("ABCDEHLMPRST", id[8]) != NULL && ((day >= 1 && day <= 31) || (day >= 41 && day <= 71));
}

/* Date of birth, and a digit for century, sex, and whether a foreigner. */
bool
check_kr_rrn(const char *id, int len)
{
	int			year = number_at(id, 2);
	bool		recent = strchr("3478", id[6]) != NULL;

	if (!is_date(number_at(id + 2, 2), number_at(id + 4, 2)) || id[6] < '1' || id[6] > '8')
		return false;
	return recent ? year < 50 : year % 4 == 0 || memcmp(id + 2, "0229", 4) != 0;
}

bool
check_kr_passport(const char *id, int len)
{
	return strchr("DGMORS", id[0]) != NULL;
}

bool
check_kr_brn(const char *id, int len)
{
	int			sum = weigh(id, "BDHBDHBDF") + (id[8] - '0') * 5 / 10;

	return (10 - sum % 10) % 10 == id[9] - '0' && !all_same(id, len);
}

/* The month has 20, 40, 60 or 80 more in other centuries. */
bool
check_pl_pesel(const char *id, int len)
{
	return is_date(number_at(id + 2, 2) % 20, number_at(id + 4, 2)) &&
		(10 - weigh(id, "BDHJBDHJBD") % 10) % 10 == id[10] - '0';
}

/* Date of birth (with the century or without) and four digits. */
bool
check_se_person(const char *id, int len)
{
	if (len == 12)
	{
		if (number_at(id, 2) < 18 || number_at(id, 2) > 20)
			return false;
		id += 2;
	}
	return is_date(number_at(id + 2, 2), number_at(id + 4, 2) % 60) && luhn_rest(id, 10) == 0;
}

bool
check_se_company(const char *id, int len)
{
	return strchr("256789", id[0]) != NULL && id[2] >= '2' && check_luhn(id, len);
}

/* Citizens and residents: the letter before says which letter checks. */
bool
check_sg_nric(const char *id, int len)
{
	int			rest = weigh(id + 1, "CHGFEDC");

	switch (id[0])
	{
		case 'S':
			return "JZIHGFEDCBA"[rest % 11] == id[8];
		case 'T':
			return "JZIHGFEDCBA"[(rest + 4) % 11] == id[8];
		case 'F':
			return "XWUTRQPNMLK"[rest % 11] == id[8];
		case 'G':
			return "XWUTRQPNMLK"[(rest + 4) % 11] == id[8];
		case 'M':
			return "KLJNPQRTUWX"[10 - (rest + 3) % 11] == id[8];
		default:
			return false;
	}
}

/* Businesses (8 digits) and companies (year first): the last letter checks. */
bool
check_sg_uen(const char *id, int len)
{
	if (len == 9)
		return "XMKECAWLJDB"[weigh(id, "KEJDICHB") % 11] == id[8];
	if (id[0] >= 'A')
		return (id[0] == 'T' || id[0] == 'S' || id[0] == 'R');
	return (id[0] == '1' || id[0] == '2') && "ZKCMDNERGWH"[weigh(id, "KIGEJHFDB") % 11] == id[9];
}

bool
check_th_tnin(const char *id, int len)
{
	static const char last[] = {0, 19, 27, 39, 49, 58, 67, 77, 86, 96}; /* province of each ten */

	return id[0] >= '1' && id[0] <= '8' && number_at(id + 1, 2) <= last[id[1] - '0'] &&
		(11 - weigh(id, "NMLKJIHGFEDC") % 11) % 10 == id[12] - '0';
}

/* Two check digits. */
bool
check_tr_person(const char *id, int len)
{
	int			odd = weigh(id, "BABABABAB");
	int			even = weigh(id, "ABABABAB");

	return id[0] != '0' && (odd * 7 + even * 9) % 10 == id[9] - '0' &&
		(odd + even + id[9] - '0') % 10 == id[10] - '0';
}

/* A province first. */
bool
check_tr_plate(const char *id, int len)
{
	int			province = number_at(id, 2);

	return province >= 1 && province <= 81;
}

/* Date of birth, four digits, citizenship, a digit, check. */
bool
check_za_id(const char *id, int len)
{
	return is_date(number_at(id + 2, 2), number_at(id + 4, 2)) && id[10] <= '2' && check_luhn(id, len);
}

/* Two check digits modulo 11. */
bool
check_br_cpf(const char *id, int len)
{
	return weigh(id, "KJIHGFEDC") * 10 % 11 % 10 == id[9] - '0' &&
		weigh(id, "LKJIHGFEDC") * 10 % 11 % 10 == id[10] - '0' && !all_same(id, len);
}

/* Region, date of birth, serial, check modulo 11 where X is ten. */
bool
check_cn_ric(const char *id, int len)
{
	int			year = number_at(id + 6, 4);

	return id[0] != '0' && year >= 1900 && year < 2100 && is_date(number_at(id + 10, 2), number_at(id + 12, 2)) &&
		"10X98765432"[weigh(id, "HJKFIECBGDHJKFIEC") % 11] == id[17];
}

/* Sex, year, month, place, serial, and 97 less the remainder. */
bool
check_fr_nir(const char *id, int len)
{
	int			month = number_at(id + 3, 2);

	return (id[0] == '1' || id[0] == '2') && (is_month(month) || month >= 20) &&
		97 - remainder_of(id, 13, 97) == number_at(id + 13, 2);
}

/* Date of birth, serial, 97 less the remainder, for births from 2000 on with a 2 in front. */
bool
check_be_person(const char *id, int len)
{
	int			rest = remainder_of(id, 9, 97);
	int			check = number_at(id + 9, 2);

	return is_date(number_at(id + 2, 2), number_at(id + 4, 2)) &&
		(97 - rest == check || 97 - (rest + 2000000000 % 97) % 97 == check);
}

bool
check_nl_bsn(const char *id, int len)
{
	return (weigh(id, "JIHGFEDC") - (id[8] - '0')) % 11 == 0 && !all_same(id, len);
}

/* A product's number whose country is Switzerland's. */
bool
check_ch_ahv(const char *id, int len)
{
	return memcmp(id, "756", 3) == 0 && (10 - weigh(id, "BDBDBDBDBDBD") % 10) % 10 == id[12] - '0';
}

/* Date of birth, three digits, two check digits modulo 11. */
bool
check_no_person(const char *id, int len)
{
	return is_date(number_at(id + 2, 2), number_at(id, 2)) &&
		weigh(id, "DHGBIJEFCB") % 11 == 0 && weigh(id, "FEDCHGFEDCB") % 11 == 0;
}

/* Names, date of birth, sex, state, consonants, century, check. */
bool
check_mx_curp(const char *id, int len)
{
	return is_date(number_at(id + 6, 2), number_at(id + 8, 2)) && strchr("HMX", id[10]) != NULL;
}

/*
 * redaction_core.c
 *		The scanner without PostgreSQL, beside Vectorscan with the patterns of the
 *		chain: core ROUNDS FILE...  A file holds texts, each behind its length
 *		in four bytes.  Both report where hits begin and end; neither replaces.
 */
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redact/scan.h"

static const char *const patterns[] = {
	"-----BEGIN [A-Z ]*PRIVATE KEY-----",
	"[a-z][a-z0-9+.-]*://[^:/@\\s]+:[^@/\\s]+@",
	"\\bey" "J[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]+",
	"\\b(AK" "IA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,})",
	"(?i)(bearer|basic) [A-Za-z0-9._~+/=-]{16,}",
	"(?i)(password|passwd|pwd|secret|token|api_?key)[\"']?\\s*[:=]\\s*[\"']?[^\\s\"',;]+",
	"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}",
	"\\b[A-Z]{2}\\d{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,4})?\\b",
	"\\b(\\d[ -]?){12,18}\\d\\b",
	"\\b\\d{3}-\\d{2}-\\d{4}\\b",
	"\\b(\\d{1,3}\\.){3}\\d{1,3}\\b",
	"\\b(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,6}(:[0-9A-Fa-f]{1,4}){1,6})\\b",
	"\\b([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\\b",
	"(\\+?\\d{1,3}[ .-]?)?\\(?\\d{3}\\)?[ .-]?\\d{3}[ .-]?\\d{4}\\b"
};

#define PATTERNS	((unsigned) (sizeof(patterns) / sizeof(patterns[0])))

static hs_database_t *database;
static hs_scratch_t *scratch;
static RedactResult result;
static size_t hits;

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void
compile_patterns(void)
{
	unsigned	flags[PATTERNS];
	unsigned	ids[PATTERNS];
	hs_compile_error_t *error;
	unsigned	i;

	for (i = 0; i < PATTERNS; i++)
	{
		flags[i] = HS_FLAG_SOM_LEFTMOST;
		ids[i] = i;
	}
	if (hs_compile_multi(patterns, flags, ids, PATTERNS, HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS)
	{
		fprintf(stderr, "pattern %d: %s\n", error->expression, error->message);
		exit(1);
	}
	if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS)
		exit(1);
}

static int
count_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void) id;
	(void) from;
	(void) to;
	(void) flags;
	(void) context;
	hits++;
	return 0;
}

static void
by_vectorscan(const char *text, unsigned len)
{
	hs_scan(database, text, len, 0, scratch, count_match, NULL);
}

static void
by_scanner(const char *text, unsigned len)
{
	RedactOptions options = {0};

	options.kinds = REDACT_DEFAULT_KINDS;
	redact_scan(text, len, &options, &result);
	hits += result.count;
}

/* Seconds for all texts once, from as many passes as take a tenth of a second. */
static double
measure(void (*scan) (const char *, unsigned), const char *data, size_t size)
{
	double		start = cpu_seconds();
	double		spent;
	int			passes = 0;

	do
	{
		const char *at = data;

		hits = 0;
		while (at < data + size)
		{
			unsigned	len;

			memcpy(&len, at, sizeof(len));
			scan(at + sizeof(len), len);
			at += sizeof(len) + len;
		}
		passes++;
		spent = cpu_seconds() - start;
	} while (spent < 0.1);
	return spent / passes;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *values, int n)
{
	qsort(values, (size_t) n, sizeof(double), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void
compare_file(const char *path, int rounds)
{
	FILE	   *file = fopen(path, "rb");
	double	   *own = calloc((size_t) rounds * 3, sizeof(double));
	double	   *other = own + rounds;
	double	   *ratio = other + rounds;
	char	   *data;
	long		size;
	int			i;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) <= 0)
	{
		fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	rewind(file);
	data = malloc((size_t) size);
	if (fread(data, 1, (size_t) size, file) != (size_t) size)
		exit(1);
	fclose(file);
	for (i = 0; i < rounds; i++)
	{
		own[i] = measure(by_scanner, data, (size_t) size);
		other[i] = measure(by_vectorscan, data, (size_t) size);
		ratio[i] = other[i] / own[i];
	}
	printf("  %-12s scanner %7.1f MB/s   Vectorscan with starts %7.1f MB/s   ratio %5.2f\n",
		   strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
		   (double) size / median(own, rounds) / 1e6, (double) size / median(other, rounds) / 1e6,
		   median(ratio, rounds));
	free(data);
	free(own);
}

int
main(int argc, char **argv)
{
	int			rounds = argc > 1 ? atoi(argv[1]) : 0;
	int			i;

	if (argc < 3 || rounds < 1)
	{
		fprintf(stderr, "usage: core ROUNDS FILE...\n");
		return 2;
	}
	compile_patterns();
	for (i = 2; i < argc; i++)
		compare_file(argv[i], rounds);
	return 0;
}

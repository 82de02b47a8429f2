/*
 * token_prefix.h
 *		What vendors begin their tokens with, and what follows.
 */
#ifndef BCCE_TOKEN_PREFIX_H
#define BCCE_TOKEN_PREFIX_H

#include <stdint.h>

typedef enum TokenClass
{
	T_ALNUM,
	T_TOKEN,					/* and _ - */
	T_WORD,						/* and _ */
	T_HEX,
	T_UPPER,					/* A-Z 0-9 */
	T_BASE64,					/* and + / = _ - . ~ % : | */
	T_DOTTED,					/* token and . */
	T_UUID						/* 8-4-4-4-12 hexadecimal digits */
} TokenClass;

#define T_CLASS	0x0F
#define T_MIXED	0x10			/* holds a digit, a capital and a small letter */

typedef struct TokenPrefix
{
	const char *prefix;
	const char *vendor;
	uint8_t		class;
	uint8_t		shortest;		/* bytes after the prefix */
	uint8_t		longest;		/* 0: as long as it goes on */
} TokenPrefix;

#define MAX_PREFIXES	400

extern const TokenPrefix token_prefixes[];
extern const int token_prefix_count;

#endif

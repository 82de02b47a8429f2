/*
 * token_json.h
 *		Reading the little JSON that tokens hold, strictly.
 */
#ifndef BCCE_TOKEN_JSON_H
#define BCCE_TOKEN_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct TokenJson
{
	const unsigned char *at;
	const unsigned char *end;
} TokenJson;

/* Passes white space and then this character, or returns false. */
extern bool token_json_mark(TokenJson *json, char mark);

/* Is there nothing but white space left? */
extern bool token_json_ends(TokenJson *json);

/*
 * Reads a string of at most so many bytes of UTF-8, and ends it with a zero.
 * False: not a string, longer, invalid UTF-8, an escape that is none, or one
 * that holds a zero.
 */
extern bool token_json_string(TokenJson *json, char *out, size_t most);

#endif

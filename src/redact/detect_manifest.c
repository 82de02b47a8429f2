/*
 * detect_manifest.c
 *		Values of a Kubernetes manifest that says "kind: Secret": those under
 *		data and stringData are secret whatever their names.
 */
#include <string.h>

#include "redact/scan_internal.h"

#define MANIFEST_BYTES	8192	/* looked at before and behind "kind" */

/* Is this line the end of a document? */
static bool
ends_document(const Scan *s, size_t at)
{
	return s->len - at >= 3 && memcmp(s->text + at, "---", 3) == 0;
}

/* End of the line that begins here. */
static size_t
line_end(const Scan *s, size_t at, size_t limit)
{
	const uint8_t *newline = memchr(s->text + at, '\n', limit - at);

	return newline ? (size_t) (newline - s->text) : limit;
}

/* Blanks at the head of a line. */
static size_t
skip_indent(const Scan *s, size_t at, size_t end)
{
	while (at < end && (s->text[at] == ' ' || s->text[at] == '\t'))
		at++;
	return at;
}

/* Notes the value of one line: behind "name:", or all of it. */
static void
line_value(Scan *s, size_t at, size_t end)
{
	size_t		from = at;
	size_t		i;

	while (end > at && byte_is(s->text[end - 1], B_SPACE))
		end--;
	for (i = at; i < end && (byte_is(s->text[i], B_TOKEN) || s->text[i] == '.'); i++);
	if (i < end && s->text[i] == ':')
		from = skip_indent(s, i + 1, end);
	if (end - from > 1 && (s->text[from] == '"' || s->text[from] == '\'') && s->text[end - 1] == s->text[from])
	{
		from++;
		end--;
	}
	if (end - from < 2 || s->text[from] == '#' || is_masked(s->text + from, end - from))
		return;
	scan_hit(s, from, end, REDACT_SECRET, "kubernetes", STRENGTH_SHAPE, 85);
}

/* The lines of a document: those that stand deeper than a "data:" before them. */
static void
manifest_lines(Scan *s, size_t at, size_t limit)
{
	size_t		data = SIZE_MAX;	/* indent of the data in force */

	while (at < limit && !ends_document(s, at))
	{
		size_t		end = line_end(s, at, limit);
		size_t		from = skip_indent(s, at, end);
		size_t		len = end - from;

		if (data != SIZE_MAX && from - at > data)
			line_value(s, from, end);
		else if (len > 0)
			data = (len >= 5 && memcmp(s->text + from, "data:", 5) == 0) ||
				(len >= 11 && memcmp(s->text + from, "stringData:", 11) == 0) ? from - at : SIZE_MAX;
		at = end + 1;
	}
}

/* Behind the word "secret": a manifest of that kind? */
void
detect_manifest(Scan *s, size_t at)
{
	size_t		i = at - 6;
	size_t		start;
	size_t		limit = s->len - at > MANIFEST_BYTES ? at + MANIFEST_BYTES : s->len;

	if (at < 12 || at < s->manifest_end || !equal_lower(s->text + i, "secret", 6))
		return;
	if (s->text[i - 1] == '"' || s->text[i - 1] == '\'')
		i--;
	while (i > 0 && s->text[i - 1] == ' ')
		i--;
	if (i < 5 || memcmp(s->text + i - 5, "kind:", 5) != 0)
		return;
	/* Back to the beginning of the document, forward to its end. */
	for (start = i - 5; start > s->manifest_end && at - start < MANIFEST_BYTES; start--)
		if (s->text[start - 1] == '\n' && ends_document(s, start))
		{
			start += 3;
			break;
		}
	while (start > s->manifest_end && s->text[start - 1] != '\n')
		start--;
	manifest_lines(s, start, limit);
	s->manifest_end = limit;
}

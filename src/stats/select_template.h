/*
 * select_template.h
 *		Selection among values of one type; select.c includes it once for each.
 *
 * Needs SELECT_TYPE, SELECT_LESS(a, b) and SELECT_NAME(name).  Quickselect with
 * a pivot of nine, that follows every side on which ranks are wanted: one rank
 * takes linear time, all of them sort.  Data that defeats the pivot too often
 * is sorted by heap, so no order of values makes it quadratic.
 */

/* Sorts a short range. */
static void
SELECT_NAME(insertion_sort) (SELECT_TYPE *v, size_t n)
{
	size_t		i;

	for (i = 1; i < n; i++)
	{
		SELECT_TYPE x = v[i];
		size_t		j = i;

		for (; j > 0 && SELECT_LESS(x, v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

/* Lets the value at the root of a heap sink to its place. */
static void
SELECT_NAME(sink) (SELECT_TYPE *v, size_t n, size_t root)
{
	SELECT_TYPE x = v[root];
	size_t		child;

	while ((child = 2 * root + 1) < n)
	{
		if (child + 1 < n && SELECT_LESS(v[child], v[child + 1]))
			child++;
		if (!SELECT_LESS(x, v[child]))
			break;
		v[root] = v[child];
		root = child;
	}
	v[root] = x;
}

/* Sorts by heap: slower than by pivots, but never quadratic. */
static void
SELECT_NAME(heap_sort) (SELECT_TYPE *v, size_t n, SelectTick tick)
{
	size_t		i;

	for (i = n / 2; i > 0; i--)
		SELECT_NAME(sink) (v, n, i - 1);
	for (i = n; i > 1; i--)
	{
		SELECT_TYPE swap = v[0];

		v[0] = v[i - 1];
		v[i - 1] = swap;
		SELECT_NAME(sink) (v, i - 1, 0);
		if (tick != NULL && (i & 0xffff) == 0)
			tick();
	}
}

/* The middle one of three. */
static inline SELECT_TYPE
SELECT_NAME(median3) (SELECT_TYPE a, SELECT_TYPE b, SELECT_TYPE c)
{
	if (SELECT_LESS(a, b))
		return SELECT_LESS(b, c) ? b : (SELECT_LESS(a, c) ? c : a);
	return SELECT_LESS(a, c) ? a : (SELECT_LESS(b, c) ? c : b);
}

/* A value of the range that is likely near its middle. */
static SELECT_TYPE
SELECT_NAME(sample_pivot) (const SELECT_TYPE *v, size_t n)
{
	size_t		step = n / 8;

	if (n <= LARGE_RANGE)
		return SELECT_NAME(median3) (v[0], v[n / 2], v[n - 1]);
	return SELECT_NAME(median3) (SELECT_NAME(median3) (v[0], v[step], v[2 * step]),
								 SELECT_NAME(median3) (v[3 * step], v[4 * step], v[5 * step]),
								 SELECT_NAME(median3) (v[6 * step], v[7 * step], v[n - 1]));
}

/*
 * Hoare's partition about one of the values: afterwards nothing before *left is
 * above the pivot, nothing from *right on is below it, and what is between
 * equals it.
 */
static void
SELECT_NAME(partition) (SELECT_TYPE *v, size_t n, SELECT_TYPE pivot, size_t *left, size_t *right)
{
	size_t		i = 0;
	size_t		j = n;			/* one past the range still to look at */

	for (;;)
	{
		SELECT_TYPE swap;

		while (SELECT_LESS(v[i], pivot))
			i++;
		while (SELECT_LESS(pivot, v[j - 1]))
			j--;
		if (i >= j)
			break;
		swap = v[i];
		v[i] = v[j - 1];
		v[j - 1] = swap;
		i++;
		j--;
		if (i >= j)
			break;
	}
	*left = j;
	*right = i;
}

/* As select_words(), with the number of passes before the heap. */
static void
SELECT_NAME(select) (SELECT_TYPE *v, size_t n, uint64_t first, const uint64_t *ranks, size_t n_ranks,
					 int passes, SelectTick tick)
{
	while (n_ranks > 0 && n > SMALL_RANGE)
	{
		size_t		left;
		size_t		right;
		size_t		n_left = 0;
		size_t		n_done;

		if (tick != NULL)
			tick();
		if (passes-- == 0)
		{
			SELECT_NAME(heap_sort) (v, n, tick);
			return;
		}
		SELECT_NAME(partition) (v, n, SELECT_NAME(sample_pivot) (v, n), &left, &right);
		while (n_left < n_ranks && ranks[n_left] < first + left)
			n_left++;
		for (n_done = n_left; n_done < n_ranks && ranks[n_done] < first + right;)
			n_done++;
		SELECT_NAME(select) (v, left, first, ranks, n_left, passes, tick);
		v += right;
		n -= right;
		first += right;
		ranks += n_done;
		n_ranks -= n_done;
	}
	if (n_ranks > 0)
		SELECT_NAME(insertion_sort) (v, n);
}

#undef SELECT_TYPE
#undef SELECT_LESS
#undef SELECT_NAME

/* The rows behind error.h. */
#include "proto/error.h"

#include <stddef.h>

#include "proto/catalog.h"

static const struct ieum_error_row rows[] = {
#define X(number, name, fault, retry, text) \
	{ number, #name, IEUM_FAULT_##fault, IEUM_RETRY_##retry, N_(text) },
	IEUM_ERRORS(X)
#undef X
};

const struct ieum_error_row *ieum_error(int number)
{
	const struct ieum_error_row *internal = &rows[0];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].number == number)
			return &rows[i];
		if (rows[i].number == IEUM_E_INTERNAL)
			internal = &rows[i];
	}
	return internal;
}

const char *ieum_fault_name(enum ieum_fault fault)
{
	static const char *const names[] = { "none", "client", "policy", "hub", "journal" };

	return (size_t)fault < sizeof names / sizeof names[0] ? names[fault] : "hub";
}

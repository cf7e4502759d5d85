/* From the error table to exit codes; see exit_code.h. */
#include "client/exit_code.h"

enum exit_code exit_code_of(enum ieum_err err)
{
	switch (err) {
	case IEUM_E_OK: return EXIT_DONE;
	case IEUM_E_VERSION_UNSUPPORTED:
	case IEUM_E_IDENTITY_UNKNOWN:
	case IEUM_E_CERTIFICATE_REVOKED:
	case IEUM_E_CERTIFICATE_EXPIRED:
	case IEUM_E_TLS_FAILED:
	case IEUM_E_CONNECTION_LOST:
	case IEUM_E_HUB_UNREACHABLE: return EXIT_UNREACHABLE;
	case IEUM_E_CASE_UNKNOWN:
	case IEUM_E_REFERRAL_UNKNOWN:
	case IEUM_E_DELIVERY_UNKNOWN:
	case IEUM_E_SPOOL_UNKNOWN: return EXIT_NOT_FOUND;
	case IEUM_E_JOURNAL_CORRUPT: return EXIT_MISMATCH;
	case IEUM_E_TIMED_OUT: return EXIT_TIMED_OUT;
	case IEUM_E_SPOOL_CORRUPT:
	case IEUM_E_SPOOL_FOREIGN:
	case IEUM_E_FILE_EXISTS:
	case IEUM_E_FILE_UNREADABLE:
	case IEUM_E_FILE_INVALID: return EXIT_FILE;
	case IEUM_E_NO_MEMORY: return EXIT_FAILED;
	default: return ieum_error((int)err)->retry == IEUM_RETRY_NO ? EXIT_REFUSED : EXIT_LATER;
	}
}

/* A program of somebody else, outside of the tree: built against what is installed, by pkg-config
 * alone.  Says whom the hub takes us for, or why there is no connection. */
#include <stdio.h>
#include <string.h>

#include <ieum/ieum.h>
#include <ieum/ieum_tokens.h>
#include <ieum/v1/frame.pb-c.h>

int main(int argc, char **argv)
{
	const char *addresses[] = { argc == 5 ? argv[1] : "127.0.0.1:1" };
	struct ieum_options options = { .addresses = addresses, .n_addresses = 1 };
	struct ieum_blocking *hub = NULL;
	char why[IEUM_WHY_BYTES] = "";
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	if (argc != 5) {
		printf("%s %s %zu\n", ieum_token_kind_word(IEUM_TOKEN_NAME_BIRTH),
		       ieum_error(IEUM_E_QUEUE_FULL)->name,
		       ieum__v1__query__get_packed_size(&query));
		return 0;
	}
	options.ca = argv[2];
	options.cert = argv[3];
	options.key = argv[4];
	enum ieum_err err = ieum_blocking_open(&options, 10000, &hub, why);
	if (err) {
		fprintf(stderr, "%s: %s\n", ieum_error((int)err)->name, why);
		return 1;
	}
	printf("%s\n", ieum_blocking_welcome(hub)->participant);
	ieum_blocking_close(hub);
	return 0;
}

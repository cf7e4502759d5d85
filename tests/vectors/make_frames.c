/* Makes frames.json of frame_cases.yaml: bytes and what the codec takes them for, one case a line.
 *
 *     ieum-frame-vectors tests/vectors/frame_cases.yaml > tests/vectors/frames.json
 *
 * The clients under tests/foreign, which are not made of our code, say whether that is right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pbmap.h"
#include "tests/vectors/frames.h"
#include "yaml/yaml_read.h"

static struct yaml_diag diag;

static bool put_frames(const struct yaml_node *list, struct buf *out)
{
	for (size_t i = 0; i < yaml_count(list); i++) {
		ProtobufCMessage *frame = NULL;
		enum ieum_err err = pbmap_from_yaml(yaml_at(list, i), &ieum__v1__frame__descriptor,
						    NULL, &diag, &frame);

		if (!err)
			err = codec_put(out, (const Ieum__V1__Frame *)frame);
		if (frame)
			protobuf_c_message_free_unpacked(frame, NULL);
		if (err)
			return false;
	}
	return true;
}

static bool bytes_of(const struct yaml_node *node, struct buf *out)
{
	const char *text = yaml_text(yaml_get(node, "hex"));
	uint8_t *bytes;
	size_t n = 0;

	if (!text)
		return put_frames(yaml_get(node, "frames"), out);
	bytes = frames_unhex(text, &n);
	if (bytes && buf_append(out, bytes, n)) {
		free(bytes);
		return false;
	}
	free(bytes);
	return n > 0;
}

static bool print_case(const struct yaml_node *node, bool first)
{
	static const char *const keys[] = { "name", "from", "about", "frames", "hex", NULL };
	static const char *const sides[] = { "client", "hub", NULL };
	struct buf bytes;
	json_t *line;
	size_t from = 0;
	bool good;

	if (!yaml_check_map(node, keys, &diag) || !yaml_opt_word(node, "from", sides, &diag, &from))
		return false;
	buf_init(&bytes, FRAMES_LIMIT_BYTES);
	good = bytes_of(node, &bytes);
	if (good) {
		line = json_pack("{s:s, s:s, s:s, s:o}", "name", yaml_text(yaml_get(node, "name")),
				 "about", yaml_text(yaml_get(node, "about")), "from", sides[from],
				 "bytes", frames_hex(buf_bytes(&bytes), buf_len(&bytes)));
		json_object_update_new(line,
				       frames_meaning(buf_bytes(&bytes), buf_len(&bytes),
						      from ? CODEC_FROM_HUB : CODEC_FROM_CLIENT));
		fputs(first ? "\n" : ",\n", stdout);
		json_dumpf(line, stdout, JSON_COMPACT);
		json_decref(line);
	} else {
		yaml_mistake(&diag, node, "no bytes can be made of this");
	}
	buf_release(&bytes);
	return good;
}

int main(int argc, char **argv)
{
	struct yaml_doc *doc = NULL;

	yaml_diag_init(&diag);
	if (argc != 2) {
		fputs("usage: ieum-frame-vectors CASES.yaml\n", stderr);
		return 2;
	}
	if (!yaml_doc_open(argv[1], &diag, &doc)) {
		const struct yaml_node *root = yaml_doc_root(doc);

		fputs("[", stdout);
		for (size_t i = 0; i < yaml_count(root) && print_case(yaml_at(root, i), i == 0);
		     i++)
			continue;
		fputs("\n]\n", stdout);
	}
	yaml_doc_free(doc);
	yaml_diag_print(&diag, stderr);
	return diag.count || fflush(stdout) ? 1 : 0;
}

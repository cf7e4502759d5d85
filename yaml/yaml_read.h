/* Strict, typed reading of YAML nodes.
 *
 * Every function here returns true when it has written *out, and false after it has added
 * a mistake; *out then keeps its value, so a default set before stays.  The result may be
 * ignored by a loader that goes on to find the other mistakes and looks at diag->count at
 * the end: that's why these are no enum ieum_err.
 *
 * yaml_read_x() reads a node that must be there.  yaml_opt_x() reads the value of a key of
 * a map, where an absent key is no mistake (false, nothing added); a key that is present
 * but empty is one. */
#ifndef IEUM_YAML_YAML_READ_H
#define IEUM_YAML_YAML_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yaml/yaml_doc.h"
#include "yaml/yaml_value.h"

/* Adds the mistake of a node that is not `what` ("a date such as 2026-10-03"); always false. */
bool yaml_expected(const struct yaml_node *node, const char *what, struct yaml_diag *diag);

/* The node is a map and every key is among `allowed` (ends with NULL).  An unknown key is a
 * mistake at its own place, with the nearest allowed key as suggestion. */
bool yaml_check_map(const struct yaml_node *node, const char *const *allowed,
		    struct yaml_diag *diag);

/* The node is a sequence of min … max items. */
bool yaml_check_seq(const struct yaml_node *node, size_t min, size_t max, struct yaml_diag *diag);

/* The value of a key that must be there and not be empty, else a mistake at the map and NULL. */
const struct yaml_node *yaml_require(const struct yaml_node *map, const char *key,
				     struct yaml_diag *diag);

/* Any scalar as text of 1 … max_bytes bytes; `port: 80` reads as "80".  Borrows from the
 * document. */
bool yaml_read_text(const struct yaml_node *node, size_t max_bytes, struct yaml_diag *diag,
		    const char **out);
/* A whole decimal number, unquoted, min … max. */
bool yaml_read_int(const struct yaml_node *node, int64_t min, int64_t max, struct yaml_diag *diag,
		   int64_t *out);
/* `true` or `false`, unquoted; yes, no, on and off are mistakes. */
bool yaml_read_bool(const struct yaml_node *node, struct yaml_diag *diag, bool *out);
/* One of `words` (ends with NULL); *out is its index. */
bool yaml_read_word(const struct yaml_node *node, const char *const *words, struct yaml_diag *diag,
		    size_t *out);
bool yaml_read_duration(const struct yaml_node *node, struct yaml_diag *diag,
			struct yaml_duration *out);
/* A duration with a fixed length, min_ms … max_ms. */
bool yaml_read_duration_ms(const struct yaml_node *node, int64_t min_ms, int64_t max_ms,
			   struct yaml_diag *diag, int64_t *out);
bool yaml_read_time_us(const struct yaml_node *node, struct yaml_diag *diag, int64_t *out);
bool yaml_read_clock(const struct yaml_node *node, struct yaml_diag *diag, int *out_minutes);
bool yaml_read_date(const struct yaml_node *node, struct yaml_diag *diag, int64_t *out_days);
/* A number of bytes: "512", "64 KiB", "16 MiB", "2 GiB". */
bool yaml_read_bytes(const struct yaml_node *node, int64_t min, int64_t max, struct yaml_diag *diag,
		     int64_t *out);

bool yaml_opt_text(const struct yaml_node *map, const char *key, size_t max_bytes,
		   struct yaml_diag *diag, const char **out);
bool yaml_opt_int(const struct yaml_node *map, const char *key, int64_t min, int64_t max,
		  struct yaml_diag *diag, int64_t *out);
bool yaml_opt_bool(const struct yaml_node *map, const char *key, struct yaml_diag *diag, bool *out);
bool yaml_opt_word(const struct yaml_node *map, const char *key, const char *const *words,
		   struct yaml_diag *diag, size_t *out);
bool yaml_opt_duration(const struct yaml_node *map, const char *key, struct yaml_diag *diag,
		       struct yaml_duration *out);
bool yaml_opt_duration_ms(const struct yaml_node *map, const char *key, int64_t min_ms,
			  int64_t max_ms, struct yaml_diag *diag, int64_t *out);
bool yaml_opt_bytes(const struct yaml_node *map, const char *key, int64_t min, int64_t max,
		    struct yaml_diag *diag, int64_t *out);

#endif

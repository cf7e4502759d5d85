/* A hub file on the command line. */
#ifndef IEUM_CLIENT_HUB_POLICY_H
#define IEUM_CLIENT_HUB_POLICY_H

#include "broker/policy/policy.h"
#include "client/invocation.h"

/* Reads it, or says every mistake with its line; the caller frees *out by policy_free(). */
enum exit_code hub_policy_load(const struct invocation *inv, const char *path, struct policy **out);

#endif

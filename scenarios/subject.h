/* Of whom a blind signal is: `subject:` of a step.  The tokens are those that the agency's own
 * libieum makes, with a council key that every scenario shares. */
#ifndef IEUM_SCENARIOS_SUBJECT_H
#define IEUM_SCENARIOS_SUBJECT_H

#include "ieum/v1/referral.pb-c.h"
#include "yaml/yaml_doc.h"

/* {name: 김민준, birth: 2015-03-01, …} becomes the envelope's subject_tokens, which it owns.  What
 * is wrong is in diag. */
void scenario_subject(const struct yaml_node *node, struct yaml_diag *diag,
		      Ieum__V1__Envelope *envelope);

#endif

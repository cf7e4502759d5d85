/* What the command `ieum` exits with: stable, for scripts; docs/cli.md has the same table. */
#ifndef IEUM_CLIENT_EXIT_CODE_H
#define IEUM_CLIENT_EXIT_CODE_H

#include "proto/error.h"

/* X(number, name, English, Korean).  Numbers are never reused. */
/* clang-format off */
#define IEUM_EXITS(X) \
	X(0, DONE,        "done",                                                  "완료") \
	X(1, REFUSED,     "the hub refused it",                                    "허브가 거부함") \
	X(2, USAGE,       "the command line has a mistake",                        "명령이 잘못됨") \
	X(3, UNREACHABLE, "no connection: address, TLS or certificate",            "연결 실패: 주소, TLS 또는 인증서") \
	X(4, NOT_FOUND,   "no such case, message or delivery, or not yours to see", "없거나 볼 수 없는 사례, 메시지, 배달") \
	X(5, MISMATCH,    "the audit found a mismatch",                            "감사에서 불일치 발견") \
	X(6, TIMED_OUT,   "no answer in time",                                     "제때 응답 없음") \
	X(7, FILE,        "a file or message has mistakes, or cannot be read",      "파일이나 메시지가 잘못되었거나 읽을 수 없음") \
	X(8, LATER,       "the hub cannot take it now: try again later",           "허브가 지금 받을 수 없음: 나중에 다시 시도") \
	X(9, FAILED,      "out of memory, or the output cannot be written",        "메모리 부족 또는 출력 실패") \
	X(10, TEST_FAILED, "a test of the policy failed",                          "정책 시험 실패")
/* clang-format on */

enum exit_code {
#define X(number, name, en, ko) EXIT_##name = (number),
	IEUM_EXITS(X)
#undef X
};

/* What a command ends with when this was the last word. */
enum exit_code exit_code_of(enum ieum_err err);

#endif

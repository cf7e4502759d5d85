#!/usr/bin/env python3
"""Blind tokens, a second time: written from docs/tokens.md with Python's library alone.

Makes every vector of tokens.json anew and fails where one differs.  Then it alters each
vector and fails where that would have gone unnoticed.

    tests/vectors/tokens.py [tokens.json]
"""
import base64
import copy
import datetime
import hashlib
import hmac
import json
import os
import re
import sys
import unicodedata

IDENTIFIERS = ("name", "birth", "sex", "guardian", "phone", "postcode")

KINDS = (
    (1, "name_birth", ("name", "birth")),
    (2, "name_phone", ("name", "phone")),
    (3, "birth_phone", ("birth", "phone")),
    (4, "guardian_birth_sex", ("guardian", "birth", "sex")),
    (5, "name_postcode", ("name", "postcode")),
    (6, "birth_sex_postcode", ("birth", "sex", "postcode")),
)

SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
         0x202F, 0x205F, 0x3000}
DASH = {0x2D, *range(0x2010, 0x2016), 0x2212}
NAME_SIGNS = DASH | {0x27, 0x60, 0xB4, 0xB7, 0x2018, 0x2019, 0x318D, 0x30FB}
JAMO = {*range(0x1100, 0x1200), *range(0x3131, 0x318F), *range(0xA960, 0xA97D),
        *range(0xD7B0, 0xD7FC), *range(0xFFA0, 0xFFDD)}
LETTERS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc"}
WITHOUT_STROKE = {0x111: "d", 0xF8: "o", 0x142: "l", 0x131: "i"}

TITLES = {"mr", "mrs", "ms", "miss", "dr"}
RELATIONS = ("어머니 어머님 아버지 아버님 엄마 아빠 할머니 할머님 할아버지 할아버님 보호자 부모 부모님 모친 "
             "부친 친모 친부 계모 계부 조모 조부 숙모 숙부 고모 이모 삼촌 아기 신생아").split()
SHORT_RELATIONS = set("모 부 母 父".split())
# honorific, characters the rest must have, the same where it stands apart
HONORIFICS = [(h, 2, 2) for h in "어린이 아동 학생 선생 여사 씨".split()] + \
             [(h, 3, 2) for h in "님 군 양".split()]
LONG_SURNAMES = tuple("남궁 독고 동방 사공 서문 선우 제갈 황보".split())
FILLERS = set("미상 불상 불명 미정 모름 없음 익명 무명 이름없음 이름모름 성명미상 성명불상 신원미상 신원불상 "
              "무명남 무명녀 남아 여아 아동 어린이 학생 anonymous none noname unknown".split())

FEMALE = set("f female woman girl 여 여자 여성 여아 녀".split())
MALE = set("m male man boy 남 남자 남성 남아".split())


class Refused(Exception):
    pass


def need(condition, reason):
    if not condition:
        raise Refused(reason)


# ---- every identifier ----

RESIDENT_SEPARATORS = {0x09, 0x20, 0x2D, 0x2E, 0x2F, 0x5F, 0x2A, 0xA0, 0xAD, 0xB7, 0x200B,
                       *range(0x2010, 0x2016), 0x2060, 0x2212, 0x3000, 0xFE63, 0xFF0D, 0xFEFF}
RESIDENT_NUMBER = re.compile(
    "(?<![0-9])([0-9]{6})(?:[%s]{1,3}|)([0-9]{7})(?![0-9])"
    % "".join(re.escape(chr(c)) for c in sorted(RESIDENT_SEPARATORS)))
CENTURIES = {"9": 1800, "0": 1800, "1": 1900, "2": 1900, "5": 1900, "6": 1900,
             "3": 2000, "4": 2000, "7": 2000, "8": 2000}


def day_exists(year, month, day):
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def has_resident_number(text):
    text = text.translate({c: c - 0xFF10 + 0x30 for c in range(0xFF10, 0xFF1A)})
    at = 0
    while match := RESIDENT_NUMBER.search(text, at):
        front, back = match.groups()
        if day_exists(CENTURIES[back[0]] + int(front[:2]), int(front[2:4]), int(front[4:6])):
            return True
        # The seven of one number may not be the six of another, but what follows may be.
        at = match.start(2)
    return False


def read(raw):
    need(len(raw) <= 256, "too_long")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("not_text") from None
    need("\0" not in text, "not_text")
    need(not has_resident_number(text), "resident_number")
    text = "".join(c for c in text if unicodedata.category(c) != "Cf"
                   and not 0xFE00 <= ord(c) <= 0xFE0F and not 0xE0100 <= ord(c) <= 0xE01EF)
    text = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    return unicodedata.normalize("NFC", text)


def fold(text):
    text = unicodedata.normalize("NFD", text.casefold())
    text = "".join(c for c in text if not 0x0300 <= ord(c) <= 0x036F)
    return unicodedata.normalize("NFC", text.translate(WITHOUT_STROKE))


def without(text, characters):
    return "".join(c for c in text if ord(c) not in characters)


def without_spaces(text):
    text = without(text, SPACE)
    need(text, "empty")
    return text


# ---- names ----

def words_of(text):
    words = "".join(" " if ord(c) in SPACE or c in ".," else c for c in text).split(" ")
    words = [without(word, NAME_SIGNS) for word in words]
    return [word for word in words if word]


def is_syllable(character):
    return 0xAC00 <= ord(character) <= 0xD7A3


def is_of_class_register(name):
    return len(name) > 1 and is_syllable(name[-2]) and "a" <= name[-1] <= "z"


def last_stands_apart(words):
    return len(words) > 1 and len(words[-2]) >= 2


def names_relation(words):
    if last_stands_apart(words) and words[-1] in SHORT_RELATIONS:
        return True
    name = "".join(words)
    return any(name.endswith(r) and len(name) - len(r) != 1 for r in RELATIONS)


def is_surname_only(name):
    rests = [name[:-len(h)] for h, whole, _ in HONORIFICS if whole == 2 and name.endswith(h)]
    return any(len(rest) == 1 or rest in LONG_SURNAMES for rest in rests)


def must_stay(words, honorific, rest, whole, apart):
    if rest and not is_syllable(rest[-1]):
        return 2
    alone = words[-1] == honorific and last_stands_apart(words)
    return (apart if alone else whole) + "".join(words).startswith(LONG_SURNAMES)


def cut(words, count):
    """The words without their last `count` characters."""
    words = list(words)
    while count:
        taken = min(count, len(words[-1]))
        words[-1] = words[-1][:len(words[-1]) - taken]
        count -= taken
        if not words[-1]:
            words.pop()
    return words


def without_honorific(words):
    name = "".join(words)
    for honorific, whole, apart in HONORIFICS:
        if name.endswith(honorific):
            rest = name[:-len(honorific)]
            if len(rest) >= must_stay(words, honorific, rest, whole, apart):
                return cut(words, len(honorific))
    return None


def name_form(text):
    words = words_of(fold(text))
    need(words, "empty")
    need(all(unicodedata.category(c) in LETTERS for word in words for c in word), "not_letters")
    need(not any(ord(c) in JAMO for word in words for c in word), "loose_jamo")
    while len(words) > 1 and words[0] in TITLES:
        words = words[1:]
    while words:
        name = "".join(words)
        need(not names_relation(words), "relation")
        need(not is_surname_only(name), "too_short")
        words = without_honorific(words)
    need(not is_of_class_register(name), "not_letters")
    need(name not in FILLERS, "filler")
    need(len(name) >= 2, "too_short")
    return name


# ---- the others ----

def birth_form(text):
    text = "".join("-" if ord(c) in DASH else c for c in without_spaces(text))
    match = None
    for form in (r"([0-9]{4})([0-9]{2})([0-9]{2})",
                 r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})",
                 r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})",
                 r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})\.?",
                 r"([0-9]{4})년([0-9]{1,2})월([0-9]{1,2})일?"):
        match = match or re.fullmatch(form + "생?", text)
    need(match, "date_form")
    year, month, day = map(int, match.groups())
    need(1900 <= year <= 2199 and day_exists(year, month, day), "date_impossible")
    form = "%04d-%02d-%02d" % (year, month, day)
    need(form != "1900-01-01", "filler")
    return form


def sex_form(text):
    text = fold(without_spaces(text))
    need(text in FEMALE or text in MALE, "sex_form")
    return "F" if text in FEMALE else "M"


def phone_form(text):
    text = without(without_spaces(text), DASH | set(map(ord, "()./")) | {0xB7})
    need(re.fullmatch(r"\+?[0-9]{1,31}", text), "phone_form")
    plus, digits = text.startswith("+"), text.lstrip("+")
    if not plus and digits.startswith("0082"):
        national = digits[4:]
    elif digits.startswith("82") and (plus or len(digits) >= 10):
        national = digits[2:]
    elif not plus and (digits.startswith("0") or
                       len(digits) == 10 and digits.startswith("10")):
        national = digits
    else:
        need(plus, "phone_form")
        national = None
    if national is None:
        need(8 <= len(digits) <= 15 and digits[0] != "0", "phone_form")
        form = "+" + digits
    else:
        form = "0" + (national[1:] if national.startswith("0") else national)
        need(9 <= len(form) <= 12 and form[1] != "0", "phone_form")
        need(len(form) == 11 or not form.startswith("010"), "phone_form")
    need(len(set(form[-7:])) > 1, "filler")
    return form


def postcode_form(text):
    text = without(without_spaces(text), DASH)
    need(re.fullmatch(r"[0-9]{5}", text), "postcode_form")
    need(text != "00000", "filler")
    return text


FORMS = {"name": name_form, "guardian": name_form, "birth": birth_form, "sex": sex_form,
         "phone": phone_form, "postcode": postcode_form}


def form_of(identifier, raw):
    return FORMS[identifier](read(raw))


# ---- tokens ----

def message_of(kind, epoch, fields):
    message = b"ieum-token-1" + bytes([kind, epoch])
    for field in fields:
        field = field.encode("utf-8")
        message += len(field).to_bytes(2, "big") + field
    return message


def tokens_of(epochs, identifiers, on):
    forms = {}
    for identifier in IDENTIFIERS:
        if identifier not in identifiers:
            continue
        try:
            forms[identifier] = form_of(identifier, identifiers[identifier].encode("utf-8"))
            if identifier == "birth":
                need(forms["birth"] <= on, "date_future")
        except Refused as refused:
            raise Refused(identifier + ": " + str(refused)) from None
    made = []
    valid = [e for e in epochs if e["from"] <= on <= e["until"]]
    need(valid, "no_epoch")
    for epoch in valid:
        key = base64.b64decode(epoch["key"], validate=True)
        for number, word, needed in KINDS:
            if not all(f in forms for f in needed):
                continue
            message = message_of(number, epoch["epoch"], [forms[f] for f in needed])
            mac = hmac.new(key, message, hashlib.sha256).digest()
            made.append({"kind": word, "epoch": epoch["epoch"], "message": message.hex(),
                         "token": (bytes([number, epoch["epoch"]]) + mac).hex()})
    need(made, "too_few")
    return made


# ---- the vectors ----

def outcome(work):
    try:
        return work()
    except Refused as refused:
        return {"refused": str(refused)}


def check_identifier(vector):
    raw = bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode("utf-8")
    expected = {"refused": vector["refused"]} if "refused" in vector else vector["form"]
    return outcome(lambda: form_of(vector["identifier"], raw)) == expected


def check_subject(epochs, vector):
    expected = {"refused": vector["refused"]} if "refused" in vector else vector["tokens"]
    return outcome(lambda: tokens_of(epochs, vector["identifiers"], vector["on"])) == expected


def failures(vectors):
    epochs = vectors["epochs"]
    bad = [v for v in vectors["identifiers"] if not check_identifier(v)]
    return bad + [v for v in vectors["subjects"] if not check_subject(epochs, v)]


def altered(vector):
    """Copies of a vector, each with one thing changed that the check has to notice."""
    for field in ("form", "refused"):
        if field in vector:
            other = copy.deepcopy(vector)
            other[field] += "x"
            yield other
    for i, token in enumerate(vector.get("tokens", ())):
        for field in ("message", "token"):
            other = copy.deepcopy(vector)
            last = token[field][-1]
            other["tokens"][i][field] = token[field][:-1] + ("0" if last != "0" else "1")
            yield other


def unnoticed(vectors):
    for vector in vectors["identifiers"]:
        yield from (a for a in altered(vector) if check_identifier(a))
    for vector in vectors["subjects"]:
        yield from (a for a in altered(vector) if check_subject(vectors["epochs"], a))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "tokens.json")
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    count = len(vectors["identifiers"]) + len(vectors["subjects"])
    bad = failures(vectors)
    for vector in bad:
        print("differs:", json.dumps(vector, ensure_ascii=False), file=sys.stderr)
    missed = list(unnoticed(vectors))
    for vector in missed:
        print("altered, and unnoticed:", json.dumps(vector, ensure_ascii=False), file=sys.stderr)
    print("%d vectors, %d differ" % (count, len(bad)))
    return 1 if bad or missed or count < 200 else 0


if __name__ == "__main__":
    sys.exit(main())

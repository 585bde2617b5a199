"""Parts of a message that differ from one occurrence to the next: identifiers, hosts, addresses, times, values.

To static word vectors they are words like any other, and in log lines often most of them.
"""

from __future__ import annotations

import re

_COUNTRIES = (
    "a[d-giloq-uwz]|b[abd-jmnor-twz]|c[adf-ik-oru-z]|d[ejkmz]|e[cegr-u]|f[ijkmor]|g[ad-il-nqrtuwy]|h[knrtu]"
    "|i[elmqr]|j[emop]|k[eghimnprwyz]|l[abcikr-vy]|m[acghkm-prt-xz]|n[ace-gilpruz]|om|p[ae-hklnrtw]|qa|r[eouw]"
    "|s[a-egik-nrtvyz]|t[cdghj-nrtvwz]|u[agkyz]|v[aceginu]|w[fs]|ye|z[amw]"
)
"""Endings of hosts by country, but for those of files and of programs' names (.py, .so, .sh, .io)."""
_SURE = f"com|net|org|edu|gov|mil|biz|arpa|lan|{_COUNTRIES}"
_WORDS = "am|at|be|by|do|id|in|info|internal|is|it|local|me|my|no|to|us"
"""Endings of hosts that end settings, too (mapred.job.id): names with a digit or a hyphen are hosts."""

_START, _END = r"(?<! [^\W_] )", r"(?! [^\W_] )"
"""Of a number: task_12 and 2017-07-03_15 hold numbers, wl0 does not."""
_SIGN = rf"(?: (?<=[\s=:,(\[_]) [+-] {_START} )?"
# Dates: with a weekday, a year or seconds, which programs write. "19 Jan" in what is written for people stays.
_DAY = "(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)

_PARTS = re.compile(
    rf"""
    (?P<host> (?<![\w.-]) (?!(?:com|net|org|edu|gov|io|android|java)\.)    # com.example.app names a program
        (?: (?:[\w-]+\.){{2,}} (?-i:{_SURE}) | (?=[\w.]*[\d-]) (?:[\w-]+\.){{2,}} (?-i:{_WORDS}) ) (?![\w-]|\.\w) )
    | \b {_DAY} \b [.,]? \s+ (?: {_MONTH} \b \.? \s+ \d{{1,2}} | \d{{1,2}} \s+ {_MONTH} ) \b
    | \b {_MONTH} \b \.? \s+ \d{{1,2}} (?: ,? \s+ (?:\d{{4}} | \d\d:\d\d:\d\d) ) \b
    | \b \d{{1,2}} (?: [/-] {_MONTH} [/-] | \s+ {_MONTH} \b [.,]? \s+ ) \d{{4}} \b
    | (?P<kept> {_START} (?: (?:err(?:or|no)?|code|status|exit|reason|returned) {_END} [\s_:=\#(]* (?: (?<=[\s:=(]) - )?
        | (?:signal|http|response) {_END} [\s_:=\#(]* ) (?:0x[0-9a-f]+|\d+) {_END} )
    | {_START} [0-9a-f]{{8}} (?:-[0-9a-f]{{4}}){{3}} -[0-9a-f]{{12}} {_END}    # UUIDs
    | {_START} (?:[0-9a-f]{{1,4}}[:.-]){{2,}} [0-9a-f]{{1,4}} {_END}      # network addresses, times, dates
    | {_START} 0x[0-9a-f]+ {_END}
    | {_START} [0-9a-f]{{6,}} {_END}
    | {_SIGN} \d+ [.,:] \d[\d.,:]*
    | {_SIGN} {_START} \d+ {_END} | \d{{4,}}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def without_variable_parts(text: str) -> str:
    """The text without what rarely says what kind of message it is; the text itself when nothing else would be left.

    Codes stay: any number right after a word such as "error" or "status", and short ones within a word (E404). Words
    stay, but for names of hosts, and of days and months in a date with a weekday, a year or seconds.
    """
    rest = _PARTS.sub(_left, text)
    return rest if any(character.isalnum() for character in rest) else text


def _left(found: re.Match[str]) -> str:
    """Without a digit, unless it names a host, it is a word ("decade") or an abbreviation ("a.d.e")."""
    whole = found[0]
    if found["host"]:
        return " "
    return whole if found["kept"] or not any(character.isdigit() for character in whole) else " "

"""Parts of a message that differ from one occurrence to the next: identifiers, hosts, addresses, times, values.

To static word vectors they are words like any other, and in log lines often most of them.
"""

from __future__ import annotations

import re

_COUNTRIES = (
    "a[d-gilmoq-uwz]|b[abd-jmnor-twyz]|c[adf-ik-oru-z]|d[ejkmoz]|e[cegr-u]|f[ijkmor]|g[ad-il-nqrtuwy]|h[knrtu]"
    "|i[del-nq-t]|j[emop]|k[eghimnprwyz]|l[abcikr-vy]|m[aceghkm-prt-z]|n[ace-giloprunz]|om|p[ae-hklnrtw]|qa|r[eouw]"
    "|s[a-egik-nrtvyz]|t[cdghj-ortvwz]|u[agksyz]|v[aceginu]|w[fs]|ye|z[amw]"
)
"""Endings of hosts by country, but for those of files and of programs' names (.py, .so, .sh, .io)."""
_ENDINGS = f"com|net|org|edu|gov|mil|info|biz|arpa|local|lan|internal|{_COUNTRIES}"

_PARTS = re.compile(
    rf"""
    (?P<host> (?<![\w.-]) (?!(?:com|net|org|edu|gov|io|android|java)\.)    # com.example.app names a program
        (?:[\w-]+\.){{2,}} (?-i:{_ENDINGS}) (?![\w-]|\.\w) )
    | (?P<kept> \b (?:err(?:or|no)?|code|status|exit|signal|reason|http|response|returned) \b
        [\s:=\#(]* (?:0x[0-9a-f]+|\d+) \b )
    | \b [0-9a-f]{{8}} (?:-[0-9a-f]{{4}}){{3}} -[0-9a-f]{{12}} \b    # UUIDs
    | \b (?:[0-9a-f]{{1,4}}[:.-]){{2,}} [0-9a-f]{{1,4}} \b      # network addresses, times, dates
    | \b 0x[0-9a-f]+ \b
    | \b [0-9a-f]{{6,}} \b
    | \d+ [.,:] \d[\d.,:]*
    | \b \d+ \b | \d{{4,}}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def without_variable_parts(text: str) -> str:
    """The text without what rarely says what kind of message it is; the text itself when nothing else would be left.

    Codes stay: any number right after a word such as "error" or "status", and short ones within a word (E404).
    """
    rest = _PARTS.sub(_left, text)
    return rest if any(character.isalnum() for character in rest) else text


def _left(found: re.Match[str]) -> str:
    """Without a digit, unless it names a host, it is a word ("decade") or an abbreviation ("a.d.e")."""
    whole = found[0]
    if found["host"]:
        return " "
    return whole if found["kept"] or not any(character.isdigit() for character in whole) else " "
